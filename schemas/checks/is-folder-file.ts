// Written by schemas/emit.ts from schemas/data-folder.ts: change that one.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated
// jscpd:ignore-start
// @ts-nocheck: generated, and plain JavaScript but for its last line
import { Guard } from 'typebox/guard';
import type { FolderFile } from '../data-folder.ts';

const check_0 = ((value) => ((typeof value === "object" && value !== null && !(Array.isArray(value))) && ((((((("layoutVersion" in value && "postgresMajor" in value) && "schemaVersion" in value) && "state" in value) && "bootId" in value) && "processId" in value) && "at" in value) && (((((((Number.isInteger(value.layoutVersion) && (!((Number.isFinite(value.layoutVersion) || typeof value.layoutVersion === "bigint")) || value.layoutVersion >= 1)) && (Number.isInteger(value.postgresMajor) && (!((Number.isFinite(value.postgresMajor) || typeof value.postgresMajor === "bigint")) || value.postgresMajor >= 1))) && (Number.isInteger(value.schemaVersion) && (!((Number.isFinite(value.schemaVersion) || typeof value.schemaVersion === "bigint")) || (value.schemaVersion >= 0 && value.schemaVersion <= 9007199254740991)))) && (typeof value.state === "string" && ((value.state === "creating" || value.state === "open") || value.state === "closed"))) && ((typeof value.bootId === "string" && (value.bootId.length <= 64 || (value.bootId.length <= 128 && Guard.CodePointCount(value.bootId) <= 64))) || value.bootId === null)) && (Number.isInteger(value.processId) && (!((Number.isFinite(value.processId) || typeof value.processId === "bigint")) || (value.processId >= 0 && value.processId <= 9007199254740991)))) && (typeof value.at === "string" && (value.at.length <= 40 || (value.at.length <= 80 && Guard.CodePointCount(value.at) <= 40)))))));
export const isFolderFile = (value: unknown): value is FolderFile => check_0(value);
