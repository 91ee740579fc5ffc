import path from 'node:path';
import type { Command } from 'commander';
import type { ShardSync } from '../../../engine/shards/sync.ts';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import {
  addShardServers,
  followShardServers,
  removeShardServers,
  shardStatus,
  syncShardServers,
} from '../../compose/shard-acts.ts';
import { shardServers } from '../../compose/shard-login.ts';
import { counted } from '../../report/figures.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { positiveInteger } from '../option-values.ts';

interface AddOptions extends CommonOptions {
  readonly passwordFile?: string;
  readonly passwordVariable?: string;
}
interface SyncOptions extends CommonOptions {
  readonly follow?: true;
  readonly pollSeconds: number;
}
interface StatusOptions extends CommonOptions {
  readonly check?: number;
  readonly json?: true;
}

const POLL_SECONDS = 60;

export function registerDbShard(db: Command, context: CliContext): void {
  const shard = db
    .command('shard')
    .description('other PostgreSQL servers that take their part of a scan: add, sync, status, remove');
  withCommonOptions(shard.command('add'))
    .description('set up servers as shards and fill them; those in use before are filled anew')
    .argument('<name=url...>', 'postgresql://user@host:port/database, without a password')
    .option('--password-file <file>', "passwords in the form of PostgreSQL's own (.pgpass), readable by its owner only")
    .option('--password-variable <name>', 'environment variable that holds the password of all servers named here')
    .addHelpText(
      'after',
      '\nExample:\n  homeward db shard add a=postgresql://homeward@db-a/homeward b=postgresql://homeward@db-b/homeward --password-file shards.pgpass',
    )
    .action(async (servers: string[], options: AddOptions) => await add(context, servers, options));
  withCommonOptions(shard.command('sync'))
    .description('bring the copies on the shards up to what is known here')
    .option('--follow', 'go on until stopped, at each change of what is known')
    .option('--poll-seconds <n>', 'with --follow: longest time between two looks', positiveInteger, POLL_SECONDS)
    .addHelpText('after', '\nExamples:\n  homeward db shard sync\n  homeward db shard sync --follow')
    .action(async (options: SyncOptions) => await sync(context, options));
  withCommonOptions(shard.command('status'))
    .description(
      'the shards, and how far behind each is; with --check also whether they answer as this server alone does',
    )
    .option('--check <n>', 'ask both the same, with n of each kind of what is known', positiveInteger)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward db shard status --check 20')
    .action(async (options: StatusOptions) => await status(context, options));
  withCommonOptions(shard.command('remove'))
    .description('take all shards out of use; the copies on them stay until their schema homeward_shard is dropped')
    .addHelpText('after', '\nExample:\n  homeward db shard remove')
    .action(async (options: CommonOptions) => await remove(context, options));
}

async function add(context: CliContext, given: readonly string[], options: AddOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const named = given.map((one) => {
    const at = one.indexOf('=');
    return { name: one.slice(0, Math.max(0, at)), url: one.slice(at + 1) };
  });
  const servers = await shardServers(named, {
    passwordFile:
      options.passwordFile === undefined ? undefined : path.resolve(context.workingFolder, options.passwordFile),
    password: variable(context, options.passwordVariable),
  });
  report(context, await addShardServers(config, servers));
}

function variable(context: CliContext, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const value = context.environment[name];
  if (value !== undefined && value !== '') return value;
  throw new HomewardError(
    'HW_USAGE',
    `expected a password in the environment variable ${JSON.stringify(name)} for --password-variable, received none; set it, or use --password-file`,
  );
}

async function sync(context: CliContext, options: SyncOptions): Promise<void> {
  const { config } = await configFor(context, options);
  if (options.follow !== true) {
    report(context, await syncShardServers(config));
    return;
  }
  await followShardServers(config, {
    pollMs: options.pollSeconds * 1000,
    signal: context.stopSignal,
    onSync: (done) => report(context, done),
    onFailure: (error) => context.stderr.write(`${describeFailure(error, context.environment).text}\n`),
  });
}

function report(context: CliContext, done: readonly ShardSync[]): void {
  for (const { shard, hashes, vectors, changeId } of done) {
    printLine(
      context,
      `${shard.name}: ${counted(hashes, 'hash', 'hashes')} and ${counted(vectors, 'vector')} sent, as of change ${changeId}.`,
    );
  }
}

async function status(context: CliContext, options: StatusOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const answer = await shardStatus(config, options.check ?? null);
  const differ = (answer.check?.differences.length ?? 0) > 0;
  if (differ) context.exit.code = EXIT.someItemsFailed;
  if (options.json) {
    printLine(context, JSON.stringify(answer, null, 2));
    return;
  }
  if (answer.states.length === 0) printLine(context, 'No shards.');
  for (const { shard, changeId } of answer.states) {
    const behind = answer.latestChangeId - changeId;
    printLine(
      context,
      `${shard.name}  ${shard.host}:${shard.port}/${shard.database}  ${behind === 0 ? 'up to date' : `${counted(behind, 'change')} behind`}`,
    );
  }
  if (answer.check === null) return;
  const { queries, hits, differences } = answer.check;
  printLine(
    context,
    differ
      ? `DIFFERENT answers for ${differences.join(', ')}: do not use the shards; homeward db shard remove, and report it.`
      : `Both answer alike: ${counted(queries, 'query', 'queries')}, ${counted(hits, 'hit')}.`,
  );
}

async function remove(context: CliContext, options: CommonOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const removed = await removeShardServers(config);
  printLine(context, `${counted(removed.length, 'shard')} taken out of use.`);
}
