import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { listSeries, showSeries } from '../../../engine/series/series.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { createMask, newMaskKey } from '../../report/mask.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

interface SeriesOptions extends CommonOptions {
  readonly json?: true;
  readonly reveal?: true;
  readonly source?: string;
}

export function registerSeries(program: Command, context: CliContext): void {
  const series = program.command('series').description('known series: material that belongs together');
  withCommonOptions(series.command('list'))
    .description('every series with its source, records and the contents that matched it')
    .option('--json', 'as JSON')
    .option('--reveal', 'show series names in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward series list --reveal')
    .action(async (options: SeriesOptions) => await list(context, options));
  withCommonOptions(series.command('show'))
    .description('one series: its sets, categories, records and matches by method')
    .argument('<name>', 'name of the series, as its source wrote it')
    .option('--source <name>', 'where two sources use the same name')
    .option('--json', 'as JSON')
    .option('--reveal', 'show series names in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward series show "bridge series" --source "Project VIC"')
    .action(async (name: string, options: SeriesOptions) => await show(context, name, options));
}

async function list(context: CliContext, options: SeriesOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const found = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'series list', options), async () => ({
        result: await listSeries(db),
        objects: [],
      })),
  );
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  if (options.json) {
    printLine(context, JSON.stringify(found, null, 2));
    return;
  }
  if (found.length === 0)
    printLine(context, 'No series yet. They come with a hash set: homeward hashset import FILE --source NAME');
  for (const series of found) {
    printLine(
      context,
      `${mask.words('series', series.name)}  from ${neutralise(series.source)}: ${series.records} records, ${series.matchedMedia} contents matched`,
    );
  }
}

async function show(context: CliContext, name: string, options: SeriesOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const series = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'series show', options), async () => {
        const result = await showSeries(db, name, options.source);
        return { result, objects: result.map((one) => `series ${one.seriesId}`) };
      }),
  );
  if (options.json) {
    printLine(context, JSON.stringify(series, null, 2));
    return;
  }
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  for (const one of series) {
    printLine(context, `${mask.words('series', one.name)}, recorded by ${neutralise(one.source)}`);
    for (const category of one.categories) {
      printLine(
        context,
        `  ${category.records} records recorded by ${neutralise(one.source)} as ${category.code === null ? 'uncategorised' : neutralise(category.code)} (${category.scheme}${category.label === null ? '' : `: ${category.label}`}), set ${neutralise(category.setName)} version ${category.setVersion}`,
      );
    }
    for (const match of one.matches)
      printLine(context, `  ${match.media} contents matched by ${match.method} in ${match.batches} batches`);
    if (one.matches.length === 0) printLine(context, '  nothing matched so far');
  }
}
