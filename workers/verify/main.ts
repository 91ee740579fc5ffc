import { fstatSync, readSync } from 'node:fs';
import { offeredProviders, tryNet } from '../../models/registry/try-net.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { PackTrial, PackVerdict } from '../../schemas/model-pack.ts';

// Tries one net and says what came of it. Started by the fleet with the net's file as standard input, so that no path of it has to be
// readable here, and with a channel for question and answer. A hostile net costs this process and nothing else.

const READ_BYTES = 16 * 1024 * 1024;
const MESSAGE_LENGTH = 600;

type Refusal = NonNullable<PackVerdict['refusal']>;

/** The whole file behind standard input, read once. */
function netBytes(): Buffer {
  const bytes = Buffer.alloc(fstatSync(0).size);
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(0, bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
    if (read === 0) return bytes.subarray(0, at);
    at += read;
  }
  return bytes;
}

async function refusalOf({ manifest, provider }: PackTrial): Promise<Refusal | null> {
  if (manifest === null) return null;
  try {
    await tryNet(netBytes(), manifest, provider);
    return null;
  } catch (error) {
    if (!(error instanceof HomewardError)) throw error;
    const { code } = error;
    switch (code) {
      case 'HW_MODEL_FILE':
      case 'HW_MODEL_FORMAT':
      case 'HW_MODEL_SHAPE':
      case 'HW_MODEL_SELF_TEST':
      case 'HW_MODEL_PROVIDER':
        return { code, message: error.message.slice(0, MESSAGE_LENGTH).toWellFormed() };
      default:
        throw error;
    }
  }
}

process.once('message', (trial: PackTrial) => {
  const startedMs = performance.now();
  void refusalOf(trial).then((refusal) => {
    const verdict: PackVerdict = { refusal, offered: offeredProviders(), durationMs: performance.now() - startedMs };
    process.send?.(verdict, undefined, undefined, () => process.disconnect());
  });
});
