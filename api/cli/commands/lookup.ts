import path from 'node:path';
import { type Command, Option } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { SET_FORMATS, type SetFormat } from '../../../engine/hashset/formats/set-head.ts';
import type { LookupAnswer, LookupMatch, LookupOutput } from '../../../schemas/lookup.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { lookUpFile } from '../../compose/look-up-file.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { groupDigits } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';

/** More hits of one record than this are in --json only. */
const MOST_HITS_SHOWN = 5;

interface LookupOptions extends CommonOptions {
  readonly format: 'auto' | SetFormat;
  readonly case?: string;
  readonly purpose?: string;
  readonly json?: true;
}

export function registerLookup(program: Command, context: CliContext): void {
  withCommonOptions(program.command('lookup'))
    .description('what is known of a list of hashes whose material may not leave its lab; nothing of it is stored')
    .argument('<file>', 'VICS-compatible (not certified) JSON, CSV, NDJSON or a list')
    .addOption(new Option('--format <format>', 'format of the file').choices(['auto', ...SET_FORMATS]).default('auto'))
    .option('--case <reference>', 'case it is asked for, for the audit trail')
    .option('--purpose <text>', 'what it is asked for, for the audit trail')
    .option('--json', 'every answer as JSON (schemas/json/lookup.schema.json)')
    .addHelpText(
      'after',
      `
Example:
  homeward lookup lab-list.csv --case 2026-0412 --json

Answers: known (a digest), variant (a perceptual hash or PhotoDNA value), no, and unknown where a hash could not be compared.`,
    )
    .action(async (file: string, options: LookupOptions) => await lookup(context, file, options));
}

async function lookup(context: CliContext, file: string, options: LookupOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const found = existingPath(context, file, 'a list of hashes');
  const output = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'lookup', options), async () => {
        const result = await lookUpFile(db, config, {
          file: found,
          name: path.basename(found),
          format: options.format,
        });
        const { known, variant, no, unknown } = result.counts;
        return {
          result,
          objects: [
            `${known + variant + no + unknown} records: ${known} known, ${variant} variant, ${no} no, ${unknown} unknown`,
            ...result.sets
              .slice(0, 500)
              .map((set) => `searched ${set.name} version ${set.version} revision ${set.revision}`),
          ],
        };
      }),
  );
  if (options.json) printLine(context, JSON.stringify(output, null, 2));
  else for (const line of lookupText(output)) printLine(context, line);
}

function* lookupText({ answers, counts, rejected, sets, bitSearch }: LookupOutput): Generator<string> {
  for (const answer of answers) if (answer.answer !== 'no') yield* answerText(answer);
  yield `${groupDigits(counts.known)} known, ${groupDigits(counts.variant)} variants, ${groupDigits(counts.no)} no, ${groupDigits(counts.unknown)} unknown`;
  for (const { reason, records } of rejected)
    yield `  not read ${groupDigits(records)}: ${reason}; nothing is said of them`;
  yield `Said against ${sets.length === 0 ? 'no set at all' : sets.map((set) => `${neutralise(set.name)} version ${set.version} revision ${set.revision}`).join(', ')}; hashes by ${bitSearch}.`;
}

function* answerText(answer: LookupAnswer): Generator<string> {
  const name = answer.sourceKey ?? answer.sha256 ?? answer.sha1 ?? answer.md5 ?? 'without key';
  const left = answer.incomplete ? ' (a hash of it could not be compared)' : '';
  yield `${answer.number} ${neutralise(name)}: ${answer.answer}${left}`;
  for (const match of answer.matches.slice(0, MOST_HITS_SHOWN)) yield `  ${matchText(match)}`;
  if (answer.matches.length > MOST_HITS_SHOWN) yield `  and ${answer.matches.length - MOST_HITS_SHOWN} more`;
}

function matchText(match: LookupMatch): string {
  const { method, distance, threshold, category } = match;
  const near = threshold === 0 ? '' : ` at ${Number(distance.toFixed(1))} of ${threshold}`;
  const purpose = match.purpose === 'known' ? '' : `, a ${match.purpose} set`;
  const code =
    category === null ? '' : ` as ${neutralise(category.code)}${category.label === null ? '' : ` (${category.label})`}`;
  return `${method}${near}, recorded by ${neutralise(match.source)}${code} in ${neutralise(match.setName)} version ${match.setVersion} revision ${match.setRevision}${purpose}`;
}
