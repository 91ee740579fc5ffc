import { open, rename } from 'node:fs/promises';

/**
 * Writes a file so that it is there whole or not at all, on the disk before it has its name.
 * @param ownerOnly nobody but its owner may read it, whatever a part of an earlier try allowed
 */
export async function writeWhole(
  file: string,
  text: string | Buffer,
  { ownerOnly }: { readonly ownerOnly: boolean },
): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', ownerOnly ? 0o600 : 0o644);
  try {
    if (ownerOnly) await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
}
