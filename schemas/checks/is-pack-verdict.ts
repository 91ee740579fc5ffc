// Written by schemas/emit.ts from schemas/model-pack.ts: change that one.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated
// jscpd:ignore-start
// @ts-nocheck: generated, and plain JavaScript but for its last line
import { Guard } from 'typebox/guard';
import type { PackVerdict } from '../model-pack.ts';

const check_0 = ((value) => ((typeof value === "object" && value !== null && !(Array.isArray(value))) && (((("refusal" in value && "offered" in value) && "durationMs" in value) && Object.getOwnPropertyNames(value).length === 3) && (((((typeof value.refusal === "object" && value.refusal !== null && !(Array.isArray(value.refusal))) && ((("code" in value.refusal && "message" in value.refusal) && Object.getOwnPropertyNames(value.refusal).length === 2) && ((typeof value.refusal.code === "string" && ((((value.refusal.code === "HW_MODEL_FILE" || value.refusal.code === "HW_MODEL_FORMAT") || value.refusal.code === "HW_MODEL_SHAPE") || value.refusal.code === "HW_MODEL_SELF_TEST") || value.refusal.code === "HW_MODEL_PROVIDER")) && (typeof value.refusal.message === "string" && (value.refusal.message.length <= 600 || (value.refusal.message.length <= 1200 && Guard.CodePointCount(value.refusal.message) <= 600)))))) || value.refusal === null) && (Array.isArray(value.offered) && (value.offered.every((unique_0, index) => ((typeof unique_0 === "string" && (((unique_0 === "cpu" || unique_0 === "cuda") || unique_0 === "coreml") || unique_0 === "directml")))) && value.offered.length <= 8))) && (Number.isFinite(value.durationMs) && value.durationMs >= 0)))));
export const isPackVerdict = (value: unknown): value is PackVerdict => check_0(value);
