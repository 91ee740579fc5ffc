import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { canonicalJson } from './canonical-json.ts';
import { printedCode, readCode } from './printed-code.ts';
import type { WitnessLine } from './records.ts';
import { digestOf, publicKeyOfPem } from './signed-text.ts';
import { type ExportFault, type ExportVerdict, verifyExport } from './verify-export.ts';
import { type InclusionVerdict, verifyInclusionLine } from './verify-inclusion.ts';
import { readWitnessLines } from './verify-witness.ts';

export interface VerifyRequest {
  readonly file: string;
  /** Files with public keys in PEM. */
  readonly keys: readonly string[];
  /** Files with copies of checkpoints. */
  readonly witnesses: readonly string[];
  readonly codes: readonly string[];
}

const MEANING: Readonly<Record<ExportFault, string>> = {
  format: 'The file is damaged or was edited.',
  chain: 'Entries were edited, left out, inserted or moved.',
  key: 'A key was exchanged or edited.',
  signature: 'A checkpoint or the seal was edited, or made without the key.',
  untrusted: 'It was signed with another key than the ones you trust.',
  checkpoint: 'Entries were edited, left out, inserted or cut off under a checkpoint.',
  follows: 'A checkpoint was left out, or belongs to another history.',
  seal: 'The file was edited or cut off after it was written.',
  witness: 'History was rewritten since the copy or code was made, or this export is older than it.',
};

const MEANING_OF_PROOF: Readonly<Record<'format' | 'entry' | 'signature' | 'untrusted' | 'proof', string>> = {
  format: MEANING.format,
  entry: 'The entry was edited.',
  signature: MEANING.signature,
  untrusted: MEANING.untrusted,
  proof: 'The entry is not under the checkpoint.',
};

/** An entry of 1,000 objects and its proof. */
const MOST_PROOF_BYTES = 4 * 1024 * 1024;

/**
 * Verifies an export, or the proof of one entry, against what is known from elsewhere, and says it in sentences.
 * @throws TypeError for a key, copy or code that is none, and what reading a file throws
 */
export async function verifyFile(request: VerifyRequest): Promise<{ whole: boolean; lines: string[] }> {
  const keys = await Promise.all(request.keys.map(async (file) => publicKeyOfPem(await readFile(file, 'utf8'))));
  const witnesses = await Promise.all(
    request.witnesses.map(async (file) => readWitnessLines(await readFile(file, 'utf8'))),
  );
  const codes = request.codes.map((typed) => {
    const code = readCode(typed);
    if (code === null)
      throw new TypeError(`expected the code of a checkpoint, received one that is mistyped: ${typed}`);
    return code;
  });
  const proof = await inclusionLineIn(request.file);
  if (proof !== null)
    return saysOfEntry(verifyInclusionLine(proof, keys.length === 0 ? null : keys), {
      witnesses: witnesses.flat(),
      codes,
    });
  const known = { keys: keys.length === 0 ? null : keys, witnesses: witnesses.flat(), codes };
  const verdict = await verifyExport(createReadStream(request.file), known);
  return { whole: verdict.whole, lines: says(verdict, known) };
}

/** The proof of one entry, where the file holds that and no export. */
async function inclusionLineIn(file: string): Promise<string | null> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_PROOF_BYTES), 0, MOST_PROOF_BYTES, 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    // In canonical JSON the keys are sorted, and `checkpoint` is the first of a proof; an export begins with its header.
    return text.startsWith('{"checkpoint":') ? text : null;
  } finally {
    await handle.close();
  }
}

/** A copy or code from elsewhere is of the checkpoint that the proof leads to, or says nothing of it. */
function saysOfEntry(
  verdict: InclusionVerdict,
  known: { witnesses: readonly WitnessLine[]; codes: readonly string[] },
): { whole: boolean; lines: string[] } {
  if (!verdict.whole) return { whole: false, lines: [`BROKEN: ${MEANING_OF_PROOF[verdict.fault]}`] };
  const { checkpoint, sequence } = verdict;
  const code = printedCode(digestOf(canonicalJson(checkpoint)));
  const agrees =
    known.codes.every((wanted) => wanted === code) &&
    known.witnesses.every(
      (copy) => copy.checkpoint.sequence !== checkpoint.sequence || copy.checkpoint.root === checkpoint.root,
    );
  if (!agrees) return { whole: false, lines: [`BROKEN: ${MEANING.witness}`] };
  return {
    whole: true,
    lines: [
      `WHOLE: entry ${sequence} is under the checkpoint of ${checkpoint.sequence} entries of ${JSON.stringify(checkpoint.organisation)}, ${checkpoint.at}.`,
      `Code of the checkpoint: ${code}`,
    ],
  };
}

function says(
  verdict: ExportVerdict,
  known: { keys: readonly string[] | null; witnesses: readonly unknown[]; codes: readonly string[] },
): string[] {
  if (!verdict.whole) return [`BROKEN at line ${verdict.line}: ${verdict.says}.`, MEANING[verdict.fault]];
  const from = known.witnesses.length + known.codes.length;
  return [
    `WHOLE: ${verdict.entries} entries of ${JSON.stringify(verdict.organisation)}, ${verdict.checkpoints} checkpoints, exported ${verdict.exportedAt}.`,
    `Code of the last checkpoint: ${verdict.code}`,
    known.keys === null
      ? `Signed by keys that came with the file (${verdict.keyIds.map((id) => id.slice(0, 16)).join(', ')}): give --key to know whose they are.`
      : 'Signed by the keys given, or by keys that these vouch for.',
    from === 0
      ? 'No copy or code from elsewhere was given: whoever holds database and signing key could have rewritten it all.'
      : `It agrees with ${known.witnesses.length} copies and ${known.codes.length} codes from elsewhere.`,
  ];
}
