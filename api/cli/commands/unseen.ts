import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { listUnseen, type RankedMedia, type UnseenMedia } from '../../../engine/unseen/rank.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { counted } from '../../report/figures.ts';
import { createMask, type Mask, newMaskKey } from '../../report/mask.ts';
import { neutralise } from '../../report/neutralise.ts';
import { unknownWords } from '../../report/words.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';

const DEFAULT_SHOWN = 50;

interface UnseenOptions extends CommonOptions {
  readonly case?: string;
  readonly batch?: string;
  readonly limit: number;
  readonly after?: number;
  readonly json?: true;
  readonly reveal?: true;
}

export function registerUnseen(program: Command, context: CliContext): void {
  const unseen = program.command('unseen').description('media that match nothing known, richest in clues first');
  withCommonOptions(unseen.command('list'))
    .description('what nobody has seen, in the order in which it may lead somewhere, each with its reasons')
    .option('--case <reference>', 'media of this case only')
    .option('--batch <id>', 'media of this batch only')
    .option('--limit <count>', 'how many are shown', positiveInteger, DEFAULT_SHOWN)
    .option('--after <rank>', 'go on behind this rank', positiveInteger)
    .option('--json', 'as JSON')
    .option('--reveal', 'show paths in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward unseen list --case 2026-0412 --limit 20')
    .action(async (options: UnseenOptions) => await list(context, options));
}

async function list(context: CliContext, options: UnseenOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const scope = {
    ...(options.case === undefined ? {} : { caseRef: options.case }),
    ...(options.batch === undefined ? {} : { batchId: options.batch }),
  };
  const found = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'unseen list', options), async () => ({
        result: await listUnseen(db, scope, {
          limit: options.limit,
          offset: options.after ?? 0,
          classifiers: config.models.classifiers,
        }),
      })),
  );
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  if (options.json) {
    const masked = ({ total, media }: RankedMedia) => ({
      total,
      media: media.map((one) => ({ ...one, path: one.path === null ? null : mask.path(one.path) })),
    });
    printLine(context, JSON.stringify({ ...masked(found), unknown: masked(found.unknown) }, null, 2));
    return;
  }
  printLine(context, `${counted(found.total, 'content')} that nobody has seen; ${found.media.length} shown.`);
  for (const one of found.media) printLine(context, lineOf(one, mask));
  const { unknown } = found;
  if (unknown.total === 0) return;
  printLine(
    context,
    `${counted(unknown.total, 'content')} of which it is not known whether somebody has; ${unknown.media.length} shown.`,
  );
  for (const one of unknown.media) printLine(context, lineOf(one, mask));
}

function lineOf(one: UnseenMedia, mask: Mask): string {
  const clues = one.clues.map(({ text, points }) => `${text} (${points > 0 ? '+' : ''}${points})`).join(', ');
  const place = one.path === null ? 'nowhere any more' : mask.path(one.path);
  return `${one.rank}. ${one.score} points  media ${one.mediaId}  case ${neutralise(one.caseRef ?? '-')} exhibit ${neutralise(one.exhibitRef ?? '-')}  ${place}\n   ${clues === '' ? 'no clue' : clues}${one.unknownFor === null ? '' : `\n   not compared whole: ${unknownWords(one.unknownFor)}`}`;
}
