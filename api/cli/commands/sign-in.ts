import type { Command } from 'commander';
import type { IdentityProvider } from '../../../schemas/config.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

interface SignInOptions extends CommonOptions {
  readonly client: string;
  readonly issuer?: string;
  readonly device?: true;
}

/** Challenge, state and nonce make it longer than what is shown of other texts. */
const MOST_URL_LENGTH = 4000;
/** Somebody who answers a telephone in between. */
const WAIT_MS = 10 * 60_000;

export function registerSignIn(program: Command, context: CliContext): void {
  withCommonOptions(program.command('sign-in'))
    .description('sign in with an identity provider of the configuration; prints a token for requests to the API')
    .requiredOption('--client <id>', 'as the identity provider knows this program')
    .option('--issuer <url>', 'where the configuration has several identity providers')
    .option('--device', 'with a code that is entered on another machine')
    .addHelpText(
      'after',
      '\nExample:\n  TOKEN=$(homeward sign-in --client homeward-terminal)\n  curl -H "Authorization: Bearer $TOKEN" ...',
    )
    .action(async (options: SignInOptions) => await run(context, options));
}

async function run(context: CliContext, options: SignInOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const provider = providerOf(config.identityProviders, options.issuer);
  const { signIn } = await import('../../compose/sign-in.ts');
  const token = await signIn({
    provider,
    clientId: options.client,
    device: options.device === true,
    ask: (url, code) => {
      const entered = code === null ? '' : ` and enter ${neutralise(code)}`;
      context.stderr.write(`Open ${neutralise(url, MOST_URL_LENGTH)}${entered}\n`);
    },
    signal: AbortSignal.any([context.stopSignal, AbortSignal.timeout(WAIT_MS)]),
  });
  printLine(context, token);
}

function providerOf(providers: readonly IdentityProvider[], issuer: string | undefined): IdentityProvider {
  const found = providers.filter((one) => issuer === undefined || one.issuer === issuer);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new HomewardError(
    'HW_USAGE',
    found.length > 1
      ? `expected --issuer, since the configuration has ${found.length} identity providers; name one of them`
      : 'expected an identity provider in the configuration (identityProviders), received none of that name; add it',
  );
}
