import type { Command } from 'commander';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

export function registerConfig(program: Command, context: CliContext): void {
  const config = program.command('config').description('settings of this installation');
  withCommonOptions(config.command('show'))
    .description('print every setting with where it came from')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  homeward config show\n  HOMEWARD_HOSTS=4 homeward config show --json')
    .action(async (options: CommonOptions & { readonly json?: true }) => await showConfig(context, options));
}

async function showConfig(context: CliContext, options: CommonOptions & { readonly json?: true }): Promise<void> {
  const { config, origins } = await configFor(context, options);
  const shown = { ...config, databaseUrl: config.databaseUrl === null ? null : withoutPassword(config.databaseUrl) };
  if (options.json) {
    printLine(
      context,
      JSON.stringify(
        Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, { value, origin: origins[key] }])),
        null,
        2,
      ),
    );
    return;
  }
  const rows = Object.entries(shown).flatMap(([key, value]) => {
    const origin = origins[key] ?? 'default';
    if (Array.isArray(value)) {
      const names = value
        .map((one) => neutralise('case' in one ? one.case : 'issuer' in one ? one.issuer : one.name))
        .join(', ');
      return [[key, names === '' ? '(none)' : names, origin]];
    }
    if (typeof value !== 'object' || value === null) return [[key, String(value ?? '(none)'), origin]];
    return Object.entries(value).map(([inner, amount]) => [`${key}.${inner}`, String(amount), origin]);
  });
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  for (const [key = '', value = '', origin = ''] of rows) {
    printLine(context, `${key.padEnd(width(0))}  ${value.padEnd(width(1))}  ${origin}`);
  }
}

/** A connection URL as it may be shown: a secret on a screen is a secret lost. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(set, not shown)';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return parsed.toString();
}
