import type { Command } from 'commander';
import { EXIT } from '../../../schemas/error.ts';
import { examineInstallation, type Finding } from '../../compose/examine-installation.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

interface DoctorOptions extends CommonOptions {
  readonly json?: true;
}

const MARKS = { good: 'ok  ', warning: 'WARN', bad: 'FAIL' } as const;
const COLOURS = { good: '32', warning: '33', bad: '31;1' } as const;

export function registerDoctor(program: Command, context: CliContext): void {
  withCommonOptions(program.command('doctor'))
    .description('what works on this machine and what does not: runtime, decoders, sandbox, limits, database, disk')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  homeward doctor\n  homeward doctor --data /srv/homeward --json')
    .action(async (options: DoctorOptions) => await doctor(context, options));
}

async function doctor(context: CliContext, options: DoctorOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const findings = await examineInstallation(config);
  if (options.json) printLine(context, JSON.stringify(findings, null, 2));
  else for (const finding of findings) printLine(context, text(finding, context));
  if (findings.some((finding) => finding.state === 'bad')) context.exit.code = EXIT.dependencyMissing;
}

function text({ state, what, says, todo }: Finding, context: CliContext): string {
  const colour = context.stdout.isTTY === true && (context.environment['NO_COLOR'] ?? '') === '';
  const line = `${MARKS[state]} ${what.padEnd(22)} ${says}${todo === null ? '' : `\n     ${' '.repeat(22)} ${todo}`}`;
  return colour ? `\u001b[${COLOURS[state]}m${line}\u001b[0m` : line;
}
