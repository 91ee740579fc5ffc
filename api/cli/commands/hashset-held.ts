import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { type DryRunResult, dryRunSet } from '../../../engine/hashset/dry-run.ts';
import type { SetFormat } from '../../../engine/hashset/formats/set-head.ts';
import { dropHeld, releaseSet } from '../../../engine/hashset/into-force.ts';
import type { SetPurpose } from '../../../schemas/constants.ts';
import { auditActOf } from '../../compose/audit-act.ts';
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
import { countsText, leadObjects, leadsText, objectOf } from '../hashset-text.ts';
import { rematchObjects, rematchText } from '../rematch-text.ts';
import { runRematch } from '../run-rematch.ts';

/** Cases and records listed in a terminal; --json has more. */
const MOST_SHOWN = 10;

interface HeldOptions extends CommonOptions {
  readonly source?: string;
  readonly justification?: string;
}
/** What a dry run is told of the file. */
export interface DryRunOptions extends CommonOptions {
  readonly source: string;
  readonly name?: string;
  readonly format: 'auto' | SetFormat;
  readonly radius?: number;
  readonly json?: true;
}

export function registerHashsetRelease(hashset: Command, context: CliContext): void {
  withCommonOptions(hashset.command('release'))
    .description('bring a set into force that waits for a person since it was ten times as much as usual')
    .argument('<name>')
    .option('--source <name>', 'where two sources use the same name')
    .requiredOption('--justification <text>', 'why, for the audit trail')
    .addHelpText(
      'after',
      '\nExample:\n  homeward hashset release national --justification "its source confirms the size"',
    )
    .action(async (name: string, options: HeldOptions) => await release(context, name, options));
}

async function release(context: CliContext, name: string, options: HeldOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const released = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'hashset release', options), async () => {
        const result = await releaseSet(db, name, options.source);
        const rematched = await runRematch(context, config, db);
        return {
          result: { ...result, rematched },
          objects: [objectOf(result), ...leadObjects(result.leads), ...rematchObjects(rematched)],
        };
      }),
  );
  printLine(
    context,
    `In force: ${neutralise(released.name)} version ${released.version} from ${neutralise(released.source)}, ${groupDigits(released.records)} records`,
  );
  for (const line of [...leadsText(released.leads), ...rematchText(released.rematched)]) printLine(context, line);
}

/** Drops a set that waits. */
export async function dropOne(context: CliContext, name: string, options: HeldOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const dropped = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'erasure', 'hashset remove', options), async () => {
        const result = await dropHeld(db, name, options.source);
        return { result, objects: [objectOf(result)] };
      }),
  );
  printLine(
    context,
    `Dropped ${neutralise(dropped.name)} version ${dropped.version}; nothing of it was ever searched.`,
  );
}

export async function dryRun(
  context: CliContext,
  file: string,
  options: DryRunOptions & { readonly purpose: SetPurpose },
): Promise<void> {
  const { config } = await configFor(context, options);
  const found = existingPath(context, file, 'a hash set');
  const { source, name, format, radius, purpose } = options;
  const result = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'hashset import --dry-run'), async () => ({
        result: await dryRunSet(db, {
          file: found,
          source,
          ...(name === undefined ? {} : { name }),
          format,
          purpose,
          ...(radius === undefined ? {} : { radiusBits: radius }),
          suspendAfterCases: config.suspendAfterCases,
          signal: context.stopSignal,
        }),
      })),
  );
  if (options.json) printLine(context, JSON.stringify(result, null, 2));
  else for (const line of dryRunText(result)) printLine(context, line);
}

function dryRunText(result: DryRunResult): string[] {
  return [
    `Nothing was changed. ${groupDigits(result.records)} records would come into force; they hit ${groupDigits(result.contentsByDigest)} stored contents by digest and ${groupDigits(result.contentsByHash)} more by perceptual hash, in ${groupDigits(result.unrelatedCases)} unrelated cases.`,
    ...(result.wouldWait === null ? [] : [`  it would wait for a person: ${result.wouldWait}`]),
    ...countsText(result.rejected, result.notes),
    ...result.conflicts.map(
      ({ records, purpose, source, name, version, category, samples }) =>
        `  ${groupDigits(records)} are ${purpose === 'known' ? `recorded by ${neutralise(source)} as ${category === null ? 'uncategorised' : neutralise(category)}` : `in a ${purpose} set`} in ${neutralise(name)} version ${version}, such as ${samples.map((sample) => neutralise(sample)).join(', ')}`,
    ),
    ...result.cases
      .slice(0, MOST_SHOWN)
      .map(
        ({ organisation, caseRef, contents }) =>
          `  case ${neutralise(caseRef) || 'none'} of ${neutralise(organisation)}: ${groupDigits(contents)} contents`,
      ),
    ...result.overused
      .slice(0, MOST_SHOWN)
      .map(
        ({ record, cases }) =>
          `  ${neutralise(record)} would be suspended: it hits ${groupDigits(cases)} unrelated cases`,
      ),
  ];
}
