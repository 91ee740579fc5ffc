import { Command, CommanderError } from 'commander';
import { EXIT, HomewardError } from '../../schemas/error.ts';
import { ENGINE_VERSION } from '../version.ts';
import { registerConfig } from './commands/config.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerFingerprint } from './commands/fingerprint.ts';
import { registerHashset } from './commands/hashset.ts';
import { registerReproduce } from './commands/reproduce.ts';
import { registerScan } from './commands/scan.ts';
import { registerSeries } from './commands/series.ts';
import { registerValidate } from './commands/validate.ts';
import type { CliContext } from './context.ts';
import { describeFailure } from './failure.ts';

const EXAMPLES = `
Examples:
  homeward scan /mnt/exhibit-7 --case 2026-0412 --exhibit 7 --html report.html
  homeward scan /mnt/exhibit-7 --known project-vic.json --report report.json
  homeward fingerprint picture.jpg --json
  homeward hashset import national.json --source "Project VIC"
  homeward doctor

Exit codes: 0 done, 1 internal error, 2 wrong use, 3 a dependency is missing, 4 done but some items failed, 130 interrupted.`;

/** The whole command line. A command that did its work but has something to say sets `context.exit.code`. */
export function buildProgram(context: CliContext): Command {
  const program = new Command('homeward')
    .description(
      'Fingerprints seized material, matches it against known series, and says what is known. Results only, never imagery.',
    )
    .version(ENGINE_VERSION)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('See --help for the options of this command.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'HW_USAGE: ')),
    });
  for (const register of [
    registerScan,
    registerFingerprint,
    registerHashset,
    registerSeries,
    registerReproduce,
    registerDemo,
    registerValidate,
    registerDoctor,
    registerConfig,
  ]) {
    register(program, context);
  }
  inheritSettings(program);
  return program;
}

/** Runs it and returns the exit code; an error is said on stderr in one shape, with its code. */
export async function runProgram(program: Command, args: readonly string[], context: CliContext): Promise<number> {
  try {
    await program.parseAsync([...args], { from: 'user' });
    return context.exit.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const failure = describeFailure(error, context.environment);
    context.stderr.write(`${failure.text}\n`);
    return error instanceof HomewardError ? error.exitCode : EXIT.internal;
  }
}

/** Commander copies output and exit settings only to commands made by `.command()`; ours may be nested. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    child.showHelpAfterError('See --help for the options of this command.');
    inheritSettings(child);
  }
}
