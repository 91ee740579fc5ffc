import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { parsePeriod } from '../../../engine/governance/period.ts';
import { governanceReport } from '../../../engine/governance/report.ts';
import type { GovernanceReport } from '../../../schemas/governance.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { counted, groupDigits, instant } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

interface ReportOptions extends CommonOptions {
  readonly period: string;
  readonly json?: true;
}

export function registerGovernance(program: Command, context: CliContext): void {
  const governance = program.command('governance').description('what a governor is told, in counts, without names');
  withCommonOptions(governance.command('report'))
    .description(
      'searches by purpose and operation, refusals and failures, erasures, scans and machine-hours of a period',
    )
    .requiredOption('--period <period>', 'such as 2026, 2026-11 or 2026-11-03..2026-11-09, in UTC')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward governance report --period 2026-11')
    .action(async (options: ReportOptions) => await report(context, options));
}

async function report(context: CliContext, options: ReportOptions): Promise<void> {
  const period = parsePeriod(options.period);
  const { config } = await configFor(context, options);
  const found = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'governance report'), async () => ({
        result: await governanceReport(db, config.organisation, period),
        objects: [`period ${period.from} to ${period.until}`],
      })),
  );
  if (options.json) printLine(context, JSON.stringify(found, null, 2));
  else for (const line of reportText(found)) printLine(context, line);
}

function* reportText(found: GovernanceReport): Generator<string> {
  const { period, totals, scans, reviews, custody, suspendedRecords, alarms } = found;
  yield `${neutralise(found.organisation)}, ${instant(period.from)} to ${instant(period.until)} (excluded)`;
  yield 'Acts (operation, command, purpose: done, refused, failed, interrupted, unfinished)';
  for (const act of found.acts)
    yield `  ${act.operation}, ${neutralise(act.action)}, ${act.purpose ?? 'no purpose'}: ${[act.done, act.refused, act.failed, act.interrupted, act.unfinished].map(groupDigits).join(', ')}`;
  yield `  all: ${[totals.done, totals.refused, totals.failed, totals.interrupted, totals.unfinished].map(groupDigits).join(', ')}`;
  yield `Scans ended: ${groupDigits(scans.ended)}, ${scans.machineHours.toFixed(3)} machine-hours, ${counted(scans.items, 'item')} recorded that are still here`;
  for (const one of found.itemTrouble)
    yield `  ${one.outcome}, ${one.reason ?? 'no reason'}: ${groupDigits(one.items)}`;
  for (const one of found.failedSubmissions)
    yield `  handed in and failed, ${one.code}: ${groupDigits(one.submissions)}`;
  yield `Erasures: ${found.erasures.length}`;
  for (const one of found.erasures)
    yield `  ${one.outcome}: ${counted(one.items, 'item')}, ${counted(one.media, 'content')}; ${one.erasedAt === null ? 'NOT FINISHED' : `done ${instant(one.erasedAt)}`}; backups gone by ${one.backupsGoneBy ?? 'a day not stated'}; ${counted(one.leftToOperator, 'step')} left to the operator`;
  yield `Closed and kept: ${found.closedKept}; reviews: ${reviews.decidedKeep} kept, ${reviews.decidedErase} erased, ${reviews.dueNow} due now`;
  yield `Custody: ${counted(custody.events, 'event')}, ${custody.changedDigests} with a changed digest`;
  yield `Known records suspended: ${suspendedRecords.suspended}, resumed ${suspendedRecords.resumed}, suspended now ${suspendedRecords.inForceNow}`;
  yield `Alarms of the search: ${alarms.raised}, open now ${alarms.openNow}`;
}
