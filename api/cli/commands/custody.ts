import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { addCustodyEvent, custodyOf } from '../../../engine/custody/events.ts';
import type { CustodyEvent, CustodyReport } from '../../../schemas/custody.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { counted, instant } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import { ENGINE_VERSION } from '../../version.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

interface AddOptions extends CommonOptions {
  readonly case: string;
  readonly exhibit: string;
  readonly from: string;
  readonly to: string;
  readonly place: string;
  readonly reason: string;
  readonly at?: string;
  readonly sha256Before?: string;
  readonly sha256After?: string;
  readonly manifest?: true;
  readonly tool?: string;
  readonly toolVersion?: string;
  readonly json?: true;
}
interface ReadOptions extends CommonOptions {
  readonly case: string;
  readonly exhibit?: string;
  readonly json?: true;
}

export function registerCustody(program: Command, context: CliContext): void {
  const custody = program
    .command('custody')
    .description('who had an exhibit, when, where and why, and whether it is still what it was');
  withCommonOptions(custody.command('add'))
    .description('record a hand-over; a scan records by itself that it took its source over')
    .requiredOption('--case <reference>', 'the case', upTo(200))
    .requiredOption('--exhibit <reference>', 'the exhibit', upTo(200))
    .requiredOption('--from <who>', 'who handed it over', upTo(200))
    .requiredOption('--to <who>', 'who has it now', upTo(200))
    .requiredOption('--place <where>', 'where it was handed over', upTo(200))
    .requiredOption('--reason <text>', 'what for', upTo(1000))
    .option('--at <time>', 'when, such as 2026-11-24T09:30:00Z (default: now)', timeOf)
    .option('--sha256-before <hex>', 'digest as it was handed over (default: as recorded last)', sha256Of)
    .option('--sha256-after <hex>', 'digest as it was received', sha256Of)
    .option('--manifest', 'the digests are of the list of its files (docs/custody.md), not of one file')
    .option('--tool <name>', 'what computed the digest', upTo(100))
    .option('--tool-version <version>', 'its version', upTo(100))
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  homeward custody add --case 2026-0412 --exhibit 7 --from "Evidence store" --to "Lab 2" --place "Room 14" --reason imaging --sha256-after 9f86...',
    )
    .action(async (options: AddOptions) => await add(context, options));
  withCommonOptions(custody.command('list'))
    .description('the hand-overs of a case, and where a digest has changed')
    .requiredOption('--case <reference>', 'the case')
    .option('--exhibit <reference>', 'of this exhibit only')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward custody list --case 2026-0412 --exhibit 7')
    .action(async (options: ReadOptions) => await list(context, options));
  withCommonOptions(custody.command('report'))
    .description('the same as a file, for the court')
    .requiredOption('--case <reference>', 'the case')
    .option('--exhibit <reference>', 'of this exhibit only')
    .requiredOption('--out <file>', 'JSON file to write; one that is there is left alone')
    .addHelpText('after', '\nExample:\n  homeward custody report --case 2026-0412 --out custody.json')
    .action(async (options: ReadOptions & { readonly out: string }) => await report(context, options));
}

async function add(context: CliContext, options: AddOptions): Promise<void> {
  const { sha256Before, sha256After } = options;
  const hasDigest = sha256Before !== undefined || sha256After !== undefined;
  if (options.manifest && !hasDigest) {
    throw new HomewardError(
      'HW_USAGE',
      'expected --sha256-before or --sha256-after with --manifest, which says what they are of, received neither',
    );
  }
  const { config } = await configFor(context, options);
  const event = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'collection', 'custody add', { case: options.case }), async () => {
        const result = await addCustodyEvent(db, {
          organisation: config.organisation,
          caseRef: options.case,
          exhibitRef: options.exhibit,
          batchId: null,
          from: options.from,
          to: options.to,
          place: options.place,
          at: options.at ?? new Date().toISOString(),
          reason: options.reason,
          digestOf: hasDigest ? (options.manifest ? 'manifest' : 'file') : null,
          ...(sha256Before === undefined ? {} : { sha256Before }),
          sha256After: sha256After ?? null,
          tool: options.tool ?? 'homeward',
          toolVersion: options.toolVersion ?? (options.tool === undefined ? ENGINE_VERSION : 'not stated'),
          recordedBy: config.actor,
          sourceKey: null,
        });
        return { result, objects: [`custody event ${result.sequence}`] };
      }),
  );
  printLine(context, options.json ? JSON.stringify(event, null, 2) : eventText(event));
}

async function read(context: CliContext, options: ReadOptions, action: string): Promise<CustodyReport> {
  const { config } = await configFor(context, options);
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', action, options), async () => {
        const result = await custodyOf(db, {
          organisation: config.organisation,
          caseRef: options.case,
          exhibitRef: options.exhibit,
        });
        return { result, objects: [counted(result.events.length, 'custody event')] };
      }),
  );
}

async function list(context: CliContext, options: ReadOptions): Promise<void> {
  const found = await read(context, options, 'custody list');
  if (options.json) {
    printLine(context, JSON.stringify(found, null, 2));
    return;
  }
  if (found.events.length === 0) printLine(context, 'No hand-over is recorded.');
  for (const event of found.events) printLine(context, eventText(event));
  printLine(context, chainText(found));
}

async function report(context: CliContext, options: ReadOptions & { readonly out: string }): Promise<void> {
  const found = await read(context, options, 'custody report');
  const file = path.resolve(context.workingFolder, options.out);
  try {
    await writeFile(file, `${JSON.stringify(found, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected a new file in a folder that can be written for --out, received ${JSON.stringify(options.out)}; choose another`,
      { cause: error },
    );
  }
  printLine(context, `${counted(found.events.length, 'custody event')} written. ${chainText(found)}`);
}

function chainText({ chain, changed }: CustodyReport): string {
  const whole = chain.whole
    ? `Chain of the case: ${counted(chain.events, 'event')}, whole${chain.erased > 0 ? `, ${chain.erased} of them without their digests since the erasure` : ''}.`
    : `CHAIN BROKEN at event ${chain.brokenAt ?? 0}: what follows cannot be relied on.`;
  return changed === 0 ? whole : `${counted(changed, 'event')} WITH A CHANGED DIGEST. ${whole}`;
}

function eventText(event: CustodyEvent): string {
  const words = (text: string): string => neutralise(text, 200);
  const digest =
    event.erasedAt !== null
      ? 'digests erased with the case'
      : event.sha256After === null
        ? event.sha256Before === null
          ? 'no digest'
          : `${event.sha256Before} before`
        : `${event.sha256After}${event.changed ? ` CHANGED, was ${event.sha256Before ?? ''}` : event.sha256Before === null ? '' : ', as before'}`;
  const of = event.digestOf === null ? '' : ` of the ${event.digestOf}`;
  return `${event.sequence}  ${instant(event.at)}  exhibit ${words(event.exhibitRef)}  ${words(event.from)} -> ${words(event.to)}, ${words(event.place)}: ${words(event.reason)}; SHA-256${of}: ${digest}; ${words(event.tool)} ${words(event.toolVersion)}, recorded by ${words(event.recordedBy)}`;
}

function upTo(length: number): (text: string) => string {
  return (text) => {
    const said = text.trim();
    if (said === '' || said.length > length)
      throw new InvalidArgumentError(`expected 1 to ${length} characters, received ${said.length}.`);
    return said;
  };
}

function sha256Of(text: string): string {
  const hex = text.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new InvalidArgumentError(`expected 64 hexadecimal digits of a SHA-256, received ${text.length} characters.`);
  return hex;
}

function timeOf(text: string): string {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? new Date(text)
    : null;
  if (at === null || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError(`expected a time such as 2026-11-24T09:30:00Z, received ${JSON.stringify(text)}.`);
  return at.toISOString();
}
