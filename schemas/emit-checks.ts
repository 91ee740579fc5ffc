import type { TSchema } from 'typebox';
import { Code } from 'typebox/compile';
import { Config, ConfigFile } from './config.ts';
import { FolderFile, SearchIndexManifest, TemplateIndex } from './data-folder.ts';
import { HostMessage } from './host-protocol.ts';
import { SetPath } from './http/submission.ts';
import { ModelPackManifest, PackVerdict } from './model-pack.ts';
import { SealedTrailer } from './sealed-upload.ts';

/**
 * Checks that a scan needs before its first file is read, compiled ahead of time by TypeBox: building the types and their checks while
 * starting takes 0.4 s. emit.ts writes them to schemas/checks/ and tells when one of them is stale.
 */
interface CompiledCheck {
  readonly type: string;
  /** Of the type's module, beside this one. */
  readonly module: string;
  readonly schema: TSchema;
}

export const COMPILED_CHECKS: readonly CompiledCheck[] = [
  { type: 'Config', module: 'config', schema: Config },
  { type: 'ConfigFile', module: 'config', schema: ConfigFile },
  { type: 'FolderFile', module: 'data-folder', schema: FolderFile },
  { type: 'TemplateIndex', module: 'data-folder', schema: TemplateIndex },
  { type: 'SearchIndexManifest', module: 'data-folder', schema: SearchIndexManifest },
  { type: 'HostMessage', module: 'host-protocol', schema: HostMessage },
  { type: 'ModelPackManifest', module: 'model-pack', schema: ModelPackManifest },
  { type: 'PackVerdict', module: 'model-pack', schema: PackVerdict },
  { type: 'SetPath', module: 'http/submission', schema: SetPath },
  { type: 'SealedTrailer', module: 'sealed-upload', schema: SealedTrailer },
];

/** `is-host-message.ts` for HostMessage. */
export function checkFile({ type }: CompiledCheck): string {
  return `is${type.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`;
}

/**
 * A module with the type guard of one type; the same type always gives the same text.
 * @throws when TypeBox generates something else than functions over regular expressions
 */
export function checkText({ type, module, schema }: CompiledCheck): string {
  const { Code: code, External: external } = Code(schema);
  const functions = code.split('\n').filter((line) => /^const check_\d+ = .*;$/.test(line));
  const body = functions.join('\n');
  const called = /^export function Check\(value\) \{ return (check_\d+\(value\)) \}$/m.exec(code)?.[1];
  const patterns = external.variables.map((variable) => {
    if (variable instanceof RegExp) return String(variable);
    throw new Error(`expected nothing but regular expressions beside the check of ${type}`);
  });
  if (called === undefined || body.includes('Hashing.'))
    throw new Error(`expected TypeBox to compile ${type} as before`);
  return [
    `// Written by schemas/emit.ts from schemas/${module}.ts: change that one.`,
    '// biome-ignore-all format: generated',
    '// biome-ignore-all lint: generated',
    '// biome-ignore-all assist: generated',
    '// jscpd:ignore-start',
    '// @ts-nocheck: generated, and plain JavaScript but for its last line',
    ...(body.includes('Guard.') ? ["import { Guard } from 'typebox/guard';"] : []),
    `import type { ${type} } from '../${module}.ts';`,
    '',
    ...(patterns.length === 0 ? [] : [`const External = [${patterns.join(', ')}];`]),
    body,
    `export const is${type} = (value: unknown): value is ${type} => ${called};`,
    '',
  ].join('\n');
}
