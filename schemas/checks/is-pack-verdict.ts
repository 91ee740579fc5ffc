// Written by schemas/emit.ts from schemas/model-pack.ts: change that one.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated
// jscpd:ignore-start
// @ts-nocheck: generated, and plain JavaScript but for its last line
import { Guard } from 'typebox/guard';
import type { PackVerdict } from '../model-pack.ts';

const check_0 = ((value) => ((typeof value === "object" && value !== null && !(Array.isArray(value))) && ((("refusal" in value && "durationMs" in value) && Object.getOwnPropertyNames(value).length === 2) && ((((typeof value.refusal === "object" && value.refusal !== null && !(Array.isArray(value.refusal))) && ((("code" in value.refusal && "message" in value.refusal) && Object.getOwnPropertyNames(value.refusal).length === 2) && ((typeof value.refusal.code === "string" && ((((value.refusal.code === "HW_MODEL_FILE" || value.refusal.code === "HW_MODEL_FORMAT") || value.refusal.code === "HW_MODEL_SHAPE") || value.refusal.code === "HW_MODEL_SELF_TEST") || value.refusal.code === "HW_MODEL_PROVIDER")) && (typeof value.refusal.message === "string" && (value.refusal.message.length <= 600 || (value.refusal.message.length <= 1200 && Guard.CodePointCount(value.refusal.message) <= 600)))))) || value.refusal === null) && (Number.isFinite(value.durationMs) && value.durationMs >= 0)))));
export const isPackVerdict = (value: unknown): value is PackVerdict => check_0(value);
