import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isModelPackManifest } from '../../schemas/checks/is-model-pack-manifest.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { contradictions } from './manifest-rules.ts';

export const MANIFEST_FILE = 'manifest.json';
/** The longest calibration of the schema takes some 40 KB. */
const MOST_BYTES = 1024 * 1024;

const refused = (where: string, received: string): HomewardError =>
  new HomewardError(
    'HW_MODEL_MANIFEST',
    `expected a manifest of a model pack in ${where}, received ${received}; correct it by docs/models.md`,
  );

/** @throws HomewardError HW_MODEL_MANIFEST naming the part that is wrong */
export async function readManifest(folder: string): Promise<ModelPackManifest> {
  const file = path.join(folder, MANIFEST_FILE);
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MOST_BYTES) throw refused(file, `a file of ${size} bytes`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    throw refused(file, 'no file that can be read');
  }
  return await parseManifest(text, file);
}

/** @throws HomewardError HW_MODEL_MANIFEST naming the part that is wrong */
export async function parseManifest(text: string, where: string): Promise<ModelPackManifest> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(where, 'text that is no JSON');
  }
  if (!isModelPackManifest(value)) throw refused(where, await firstFault(value));
  const [fault, ...more] = contradictions(value);
  if (fault !== undefined) throw refused(where, `${fault}${more.length === 0 ? '' : ` (and ${more.length} more)`}`);
  return value;
}

/** Loads TypeBox, which a good manifest does without. */
async function firstFault(value: unknown): Promise<string> {
  const { ModelPackManifest } = await import('../../schemas/model-pack.ts');
  const { Compile } = await import('typebox/compile');
  const [fault] = Compile(ModelPackManifest).Errors(value);
  if (fault === undefined) return 'something else';
  const place = fault.instancePath === '' ? 'its top' : fault.instancePath.slice(1).replaceAll('/', '.');
  // A closed object has the schema false for every other key.
  return (fault.keyword === 'boolean' ? `the unknown key ${place}` : `a problem at ${place}: ${fault.message}`).slice(
    0,
    300,
  );
}
