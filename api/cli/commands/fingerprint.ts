import type { Command } from 'commander';
import { EXIT } from '../../../schemas/error.ts';
import type { DecodeMode, Examination } from '../../../schemas/fingerprint.ts';
import { pathAsText } from '../../../schemas/path-text.ts';
import type { FingerprintOutput } from '../../../schemas/report.ts';
import { openFleet } from '../../compose/open-fleet.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';

interface FingerprintOptions extends CommonOptions {
  readonly json?: true;
  readonly fast?: true;
}

export function registerFingerprint(program: Command, context: CliContext): void {
  withCommonOptions(program.command('fingerprint'))
    .description(
      'digests, type, PDQ, blockhash and capture metadata of files of your own, to check the engine against another tool',
    )
    .argument('<file...>', 'files; none is recorded anywhere')
    .option('--json', 'one JSON array')
    .option('--fast', 'decode at reduced size: for triage, not for comparison with other tools')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward fingerprint picture.jpg\n  homeward fingerprint *.jpg --json > fingerprints.json',
    )
    .action(
      async (files: readonly string[], options: FingerprintOptions) => await fingerprint(context, files, options),
    );
}

async function fingerprint(context: CliContext, files: readonly string[], options: FingerprintOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const paths = files.map((file) => existingPath(context, file, 'a file to fingerprint'));
  const mode: DecodeMode = options.fast ? 'fast' : 'exact';
  await using open = await openFleet(config, paths);
  const examined = await Promise.all(
    paths.map(async (file, at) => outputOf(files[at] ?? file, await open.fleet.examine(Buffer.from(file), { mode }))),
  );
  if (options.json) printLine(context, JSON.stringify(examined, null, 2));
  else for (const output of examined) for (const line of asText(output)) printLine(context, line);
  if (examined.some((output) => output.outcome === 'failed')) context.exit.code = EXIT.someItemsFailed;
}

function outputOf(given: string, examination: Examination): FingerprintOutput {
  const { picture, digests, reason } = examination;
  return {
    ...pathAsText(Buffer.from(given)),
    sizeBytes: examination.sizeBytes,
    type: examination.type,
    md5: digests?.md5 ?? null,
    sha1: digests?.sha1 ?? null,
    sha256: digests?.sha256 ?? null,
    outcome: examination.outcome,
    reason: reason?.code ?? null,
    reasonDetail: reason?.detail ?? null,
    widthPixels: picture?.widthPixels ?? null,
    heightPixels: picture?.heightPixels ?? null,
    decoder: picture?.decoder ?? null,
    mode: picture?.mode ?? null,
    pdq: picture?.pdq ?? [],
    blockhash: picture?.blockhash?.hex ?? null,
    blockhashVariant: picture?.blockhash?.variant ?? null,
    trailingBytes: examination.trailingBytes,
    capture: examination.capture,
  };
}

function asText(output: FingerprintOutput): string[] {
  const lines = [
    neutralise(output.path),
    `  ${output.outcome}${output.reason === null ? '' : ` (${output.reason}: ${neutralise(output.reasonDetail ?? '')})`}, ${output.type}, ${output.sizeBytes ?? '?'} bytes`,
  ];
  if (output.md5 !== null)
    lines.push(`  md5      ${output.md5}`, `  sha1     ${output.sha1 ?? ''}`, `  sha256   ${output.sha256 ?? ''}`);
  if (output.widthPixels !== null)
    lines.push(
      `  picture  ${output.widthPixels} x ${output.heightPixels ?? '?'} pixels, ${output.decoder ?? ''}, ${output.mode ?? ''}`,
    );
  for (const pdq of output.pdq) lines.push(`  ${pdq.flavour.padEnd(8)} ${pdq.hex} quality ${pdq.quality}`);
  if (output.blockhash !== null) lines.push(`  blockhash ${output.blockhash} (${output.blockhashVariant ?? ''})`);
  const { capture } = output;
  if (capture !== null) {
    const said = [capture.make, capture.model, capture.bodySerialNumber, capture.capturedAt, capture.software].filter(
      (text) => text !== null,
    );
    if (said.length > 0) lines.push(`  capture  ${said.map((text) => neutralise(text)).join(', ')}`);
    for (const trace of capture.syntheticTraces) lines.push(`  trace    ${trace.kind}: ${neutralise(trace.detail)}`);
  }
  return lines;
}
