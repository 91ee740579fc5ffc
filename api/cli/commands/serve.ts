import { once } from 'node:events';
import type { Command } from 'commander';
import { HomewardError } from '../../../schemas/error.ts';
import type { LogLine } from '../../http/app.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, withCommonOptions } from '../context.ts';
import { portNumber } from '../option-values.ts';

interface ServeCommandOptions extends CommonOptions {
  readonly host: string;
  readonly port: number;
  readonly behindProxy?: true;
}

export function registerServe(program: Command, context: CliContext): void {
  withCommonOptions(program.command('serve'))
    .description('answer the API and look at what is handed in over it, until it is stopped')
    .option(
      '--host <address>',
      'address to listen on; another one than of this machine needs tls in the configuration',
      '127.0.0.1',
    )
    .option('--behind-proxy', 'speak plain HTTP on another address: a proxy there speaks TLS')
    .option('--port <number>', 'port to listen on', portNumber, 8711)
    .addHelpText(
      'after',
      '\nExamples:\n  homeward admin init --help\n  homeward serve --port 8711\n\nEach route, for people: http://127.0.0.1:8711/docs',
    )
    .action(async (options: ServeCommandOptions) => await serve(context, options));
}

/** Nothing on them leaves the machine. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

async function serve(context: CliContext, options: ServeCommandOptions): Promise<void> {
  const { config } = await configFor(context, options);
  if (config.tls === null && !LOOPBACK.has(options.host) && options.behindProxy !== true)
    throw new HomewardError(
      'HW_USAGE',
      `expected tls in the configuration to listen on ${options.host}, received none; keys would pass in the clear: set it, or say --behind-proxy`,
    );
  // One line an event, as JSON, on standard error: results go nowhere but to who asked.
  const log = (line: LogLine): void => {
    context.stderr.write(`${JSON.stringify({ ...line, message: neutralise(line.message) })}\n`);
  };
  // Loaded when there is something to serve: --help of all commands does without.
  const { openService } = await import('../../compose/serve.ts');
  const service = await openService({ config, log });
  try {
    const address = await service.app.listen({ host: options.host, port: options.port });
    context.stdout.write(`listening on ${address}\n`);
    if (!context.stopSignal.aborted) await once(context.stopSignal, 'abort');
  } finally {
    await service.close();
  }
}
