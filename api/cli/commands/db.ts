import type { Command } from 'commander';
import { type TuneAnswer, tuneDatabase } from '../../compose/tune-database.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';
import { registerDbShard } from './db-shard.ts';

interface TuneOptions extends CommonOptions {
  readonly memory?: number;
  readonly cores?: number;
  readonly json?: true;
}

export function registerDb(program: Command, context: CliContext): void {
  const db = program.command('db').description('the database itself: tune, shard');
  registerDbShard(db, context);
  withCommonOptions(db.command('tune'))
    .description('what to set in postgresql.conf for a machine and for what is stored, and why; changes nothing')
    .option('--memory <GB>', "memory of the server's machine (default: of this one)", positiveInteger)
    .option('--cores <n>', "cores of the server's machine (default: of this one)", positiveInteger)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  homeward db tune\n  homeward db tune --memory 64 --cores 16 --json')
    .action(async (options: TuneOptions) => await tune(context, options));
}

async function tune(context: CliContext, options: TuneOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const answer = await tuneDatabase(config, { memoryGb: options.memory, cores: options.cores });
  if (options.json) printLine(context, JSON.stringify(answer, null, 2));
  else for (const line of tuneText(answer)) printLine(context, line);
}

/** Lines that can be put into postgresql.conf as they are: all that is not a setting is a comment. */
function* tuneText({ database, machine, advice, notInFile }: TuneAnswer): Generator<string> {
  const on = machine === null ? '' : `, ${Math.round(machine.memoryMb / 1024)} GB and ${machine.cores} cores`;
  yield `# ${database}${on}`;
  const differing = advice.filter((one) => one.differs);
  for (const one of differing) {
    yield '';
    yield `# ${one.reason}`;
    yield `# now: ${one.now ?? 'not a setting of this server'}${one.needsRestart ? '; needs a restart' : ''}`;
    yield `${one.setting} = ${one.advised}`;
  }
  const good = advice.filter((one) => !one.differs);
  if (good.length > 0) {
    yield '';
    yield '# good as they are:';
    for (const one of good) yield `#   ${one.setting} = ${one.now} (advised ${one.advised}: ${one.reason})`;
  }
  yield '';
  yield '# not in postgresql.conf:';
  for (const one of notInFile) yield `#   ${one.setting}: ${one.reason}`;
  if (machine !== null) yield `# ${differing.length} of ${advice.length} settings differ; nothing was changed`;
}
