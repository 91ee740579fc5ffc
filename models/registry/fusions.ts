import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';
import { ModelFusion } from '../../schemas/model-pack.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', 'fusions');
const check = Compile(ModelFusion);

/**
 * The scores of several outputs together that were measured on public data, one file each in models/fusions.
 * @throws HomewardError HW_MODEL_MANIFEST where a file is not as the schema says
 */
export async function readFusions(folder: string = FOLDER): Promise<readonly ModelFusion[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  return await Promise.all(
    names.map(async (name) => {
      const fusion: unknown = JSON.parse(await readFile(path.join(folder, name), 'utf8'));
      if (check.Check(fusion)) return fusion;
      throw new HomewardError(
        'HW_MODEL_MANIFEST',
        `expected a score of packs as schemas/model-pack.ts says in models/fusions/${name}, received something else at ${check.Errors(fusion)[0]?.instancePath || '/'}; take the file as it was shipped`,
      );
    }),
  );
}
