// Written by schemas/emit.ts from schemas/http/submission.ts: change that one.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated
// jscpd:ignore-start
// @ts-nocheck: generated, and plain JavaScript but for its last line
import { Guard } from 'typebox/guard';
import type { SetPath } from '../http/submission.ts';

const External = [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u];
const check_0 = ((value) => ((typeof value === "object" && value !== null && !(Array.isArray(value))) && (((((("upload" in value && "source" in value) && "name" in value) && "format" in value) && "purpose" in value) && Object.getOwnPropertyNames(value).length === 5) && (((((typeof value.upload === "string" && ((value.upload.length <= 36 || (value.upload.length <= 72 && Guard.CodePointCount(value.upload) <= 36)) && External[0].test(value.upload))) && (typeof value.source === "string" && ((value.source.length >= 2 || (value.source.length >= 1 && Guard.CodePointCount(value.source) >= 1)) && (value.source.length <= 200 || (value.source.length <= 400 && Guard.CodePointCount(value.source) <= 200))))) && (typeof value.name === "string" && ((value.name.length >= 2 || (value.name.length >= 1 && Guard.CodePointCount(value.name) >= 1)) && (value.name.length <= 200 || (value.name.length <= 400 && Guard.CodePointCount(value.name) <= 200))))) && (typeof value.format === "string" && (((((value.format === "auto" || value.format === "vics") || value.format === "csv") || value.format === "digest-list") || value.format === "pdq-list") || value.format === "ndjson"))) && (typeof value.purpose === "string" && ((value.purpose === "known" || value.purpose === "good") || value.purpose === "negative"))))));
export const isSetPath = (value: unknown): value is SetPath => check_0(value);
