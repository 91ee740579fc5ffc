import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The X25519 key pair for which uploads are sealed, made when it is first needed; the private key is readable by its owner alone and goes to
 * unpack hosts and nowhere else.
 */
export async function unsealingKey(
  file: string,
): Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }> {
  const pem = (await read(file)) ?? (await make(file));
  const privateKey = createPrivateKey(pem);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

async function read(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Two processes may begin at once: the one that is first has made it, whole, and the other takes that one. */
async function make(file: string): Promise<Buffer> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('x25519');
  const own = `${file}.${process.pid}`;
  await writeFile(own, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' });
  try {
    await link(own, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(own, { force: true });
  }
  return (await read(file)) ?? (await make(file));
}
