// Written by schemas/emit.ts from schemas/data-folder.ts: change that one.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated
// jscpd:ignore-start
// @ts-nocheck: generated, and plain JavaScript but for its last line
import type { TemplateIndex } from '../data-folder.ts';

const External = [/^[a-z0-9_]+(\/[a-z0-9_]+)*$/u, /^[A-Za-z0-9_.]+(\/[A-Za-z0-9_.]+)*$/u];
const check_0 = ((value) => ((typeof value === "object" && value !== null && !(Array.isArray(value))) && ((("folders" in value && "files" in value) && Object.getOwnPropertyNames(value).length === 2) && ((Array.isArray(value.folders) && (value.folders.every((unique_0, index) => ((typeof unique_0 === "string" && External[0].test(unique_0)))) && value.folders.length <= 1000)) && (Array.isArray(value.files) && (value.files.every((unique_1, index) => (((typeof unique_1 === "object" && unique_1 !== null && !(Array.isArray(unique_1))) && (((("path" in unique_1 && "start" in unique_1) && "sizeBytes" in unique_1) && Object.getOwnPropertyNames(unique_1).length === 3) && (((typeof unique_1.path === "string" && External[1].test(unique_1.path)) && (Number.isInteger(unique_1.start) && (!((Number.isFinite(unique_1.start) || typeof unique_1.start === "bigint")) || (unique_1.start >= 0 && unique_1.start <= 9007199254740991)))) && (Number.isInteger(unique_1.sizeBytes) && (!((Number.isFinite(unique_1.sizeBytes) || typeof unique_1.sizeBytes === "bigint")) || (unique_1.sizeBytes >= 0 && unique_1.sizeBytes <= 9007199254740991)))))))) && value.files.length <= 10000))))));
export const isTemplateIndex = (value: unknown): value is TemplateIndex => check_0(value);
