import { canonicalJson } from './canonical-json.ts';
import { verifyConsistency } from './merkle.ts';
import { canonicalValue, isWitnessLine, type WitnessLine } from './records.ts';
import { digestOf, isSignedBy, keyIdOf } from './signed-text.ts';

/** More than any line holds. */
const MOST_LINE_CHARACTERS = 20_000;

/**
 * The copies of checkpoints in a file, one a line, each with a valid signature of the key it carries. Whose key that is, only the
 * reader can know.
 * @throws TypeError naming the line that is none
 */
export function readWitnessLines(text: string): WitnessLine[] {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new TypeError('expected copies of checkpoints, received an empty file');
  return lines.map((line, at) => {
    const value = line.length <= MOST_LINE_CHARACTERS ? canonicalValue(line) : null;
    if (!isWitnessLine(value)) throw new TypeError(`expected the copy of a checkpoint in line ${at + 1}`);
    const { checkpoint, publicKey, signature } = value;
    if (keyIdOf(publicKey) !== checkpoint.keyId || !isSignedBy(publicKey, canonicalJson(checkpoint), signature)) {
      throw new TypeError(`expected line ${at + 1} to be signed by the key it names`);
    }
    return value;
  });
}

export type WitnessVerdict =
  /** It goes on from the older one: nothing before that was changed. */
  | 'follows'
  /** The same checkpoint, or another one of the same tree. */
  | 'same'
  /** It was made after others that are not here, so nothing links it to the older one. */
  | 'unlinked'
  /** The two cannot both be of one history. */
  | 'conflict';

/** How a copy stands to an older one of the same organisation. */
export function compareCopies(older: WitnessLine, newer: WitnessLine): WitnessVerdict {
  const [from, to] = [older.checkpoint, newer.checkpoint];
  if (from.sequence === to.sequence)
    return from.root === to.root && from.headHash === to.headHash ? 'same' : 'conflict';
  if (from.sequence !== to.previousSequence) return 'unlinked';
  if (digestOf(canonicalJson(from)) !== to.previousDigest) return 'conflict';
  const follows = verifyConsistency(
    { size: from.sequence, root: Buffer.from(from.root, 'hex') },
    { size: to.sequence, root: Buffer.from(to.root, 'hex') },
    newer.consistencyProof.map((hash) => Buffer.from(hash, 'hex')),
  );
  return follows ? 'follows' : 'conflict';
}
