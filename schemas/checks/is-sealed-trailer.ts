// Written by schemas/emit.ts from schemas/sealed-upload.ts: change that one.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated
// jscpd:ignore-start
// @ts-nocheck: generated, and plain JavaScript but for its last line
import { Guard } from 'typebox/guard';
import type { SealedTrailer } from '../sealed-upload.ts';

const External = [/^[0-9a-f]{64}$/u];
const check_0 = ((value) => ((typeof value === "object" && value !== null && !(Array.isArray(value))) && (((((("name" in value && "sizeBytes" in value) && "sha256" in value) && "verified" in value) && "modifiedAt" in value) && Object.getOwnPropertyNames(value).length === 5) && (((((typeof value.name === "string" && (value.name.length <= 1000 || (value.name.length <= 2000 && Guard.CodePointCount(value.name) <= 1000))) && (Number.isInteger(value.sizeBytes) && (!((Number.isFinite(value.sizeBytes) || typeof value.sizeBytes === "bigint")) || (value.sizeBytes >= 0 && value.sizeBytes <= 9007199254740991)))) && (typeof value.sha256 === "string" && (((value.sha256.length >= 128 || (value.sha256.length >= 64 && Guard.CodePointCount(value.sha256) >= 64)) && (value.sha256.length <= 64 || (value.sha256.length <= 128 && Guard.CodePointCount(value.sha256) <= 64))) && External[0].test(value.sha256)))) && typeof value.verified === "boolean") && ((typeof value.modifiedAt === "string" && (value.modifiedAt.length <= 30 || (value.modifiedAt.length <= 60 && Guard.CodePointCount(value.modifiedAt) <= 30))) || value.modifiedAt === null)))));
export const isSealedTrailer = (value: unknown): value is SealedTrailer => check_0(value);
