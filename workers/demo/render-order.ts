import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DEMO_SCENES, type DemoManifest, type DemoOrder } from '../../schemas/demo.ts';
import { drawScene } from './scenes.ts';
import { encodeVariant } from './variants.ts';
import { storedZip } from './zip.ts';

/**
 * Makes what the order says in a folder. Files that are there already are left alone, and the whole fails.
 * @returns what was written, in the order of writing
 * @throws Error EEXIST of node:fs for a file that exists; Error for an archive entry that the order does not make
 */
export async function renderOrder(folder: string, order: DemoOrder): Promise<DemoManifest> {
  const files: DemoManifest['files'] = [];
  const made = new Map<string, Buffer>();
  const write = async (
    file: string,
    bytes: Buffer,
    rest: Pick<DemoManifest['files'][number], 'scene' | 'variant'>,
  ): Promise<void> => {
    const target = path.join(folder, ...file.split('/'));
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, bytes, { flag: 'wx' });
    files.push({ file, sizeBytes: bytes.length, ...rest });
  };

  let encoding: Promise<unknown> = Promise.resolve();
  for (const scene of DEMO_SCENES) {
    const wanted = order.pictures.filter((picture) => picture.scene === scene);
    if (wanted.length === 0) continue;
    // The next scene is drawn on this thread while libvips encodes the last one on its own.
    await encoding;
    const raster = drawScene(scene);
    encoding = Promise.all(
      wanted.map(async ({ file, variant }) => {
        const bytes = await encodeVariant(scene, raster, variant);
        made.set(file, bytes);
      }),
    );
    // Handled where it is awaited; until then a failure must not end the process as unhandled.
    encoding.catch(() => undefined);
  }
  await encoding;

  for (const { file, scene, variant } of order.pictures) await write(file, bytesOf(file), { scene, variant });
  for (const { file, text } of order.texts) await write(file, Buffer.from(text), { scene: null, variant: null });
  for (const { file, entries } of order.archives) {
    const content = entries.map((entry) => ({ name: path.posix.basename(entry), bytes: bytesOf(entry) }));
    await write(file, storedZip(content), { scene: null, variant: null });
  }
  return { files };

  function bytesOf(file: string): Buffer {
    const bytes = made.get(file);
    if (bytes === undefined) throw new Error(`expected a picture of the order for an archive entry, received ${file}`);
    return bytes;
  }
}
