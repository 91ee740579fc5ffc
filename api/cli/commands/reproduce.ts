import type { Command } from 'commander';
import { ERRORS } from '../../../schemas/error.ts';
import { reproduceReport } from '../../compose/reproduce-report.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';
import { scanProgress } from '../scan-progress.ts';

export function registerReproduce(program: Command, context: CliContext): void {
  withCommonOptions(program.command('reproduce'))
    .description('make a report again from the material, and say whether it agrees except for times')
    .argument('<report>', 'JSON report that scan --report wrote')
    .addHelpText(
      'after',
      '\nThe material must be where it was, and the hash sets of the report in force in the database.\n\nExample:\n  homeward reproduce report.json',
    )
    .action(async (report: string, options: CommonOptions) => await reproduce(context, report, options));
}

async function reproduce(context: CliContext, report: string, options: CommonOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const file = existingPath(context, report, 'a report');
  using progress = scanProgress(context);
  const result = await reproduceReport(config, file, { signal: context.stopSignal, progress });
  progress.pause();
  if (result.differences.length === 0) {
    printLine(context, `Reproduced: all ${result.items} items and every figure agree, except for times.`);
    return;
  }
  printLine(context, `HW_REPORT_DIFFERS: ${ERRORS.HW_REPORT_DIFFERS.when}`);
  for (const difference of result.differences) printLine(context, `  ${neutralise(difference, 2_000)}`);
  context.exit.code = ERRORS.HW_REPORT_DIFFERS.exit;
}
