import { Command, CommanderError } from 'commander';
import { EXIT, HomewardError } from '../../schemas/error.ts';
import { ENGINE_VERSION } from '../version.ts';
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

type Register = (program: Command, context: CliContext) => void;

/** In the order of --help. Each brings along what it works with, which takes up to a second to load: only the one asked for is. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  scan: async () => (await import('./commands/scan.ts')).registerScan,
  fingerprint: async () => (await import('./commands/fingerprint.ts')).registerFingerprint,
  hashset: async () => (await import('./commands/hashset.ts')).registerHashset,
  search: async () => (await import('./commands/search.ts')).registerSearch,
  lookup: async () => (await import('./commands/lookup.ts')).registerLookup,
  series: async () => (await import('./commands/series.ts')).registerSeries,
  leads: async () => (await import('./commands/leads.ts')).registerLeads,
  candidates: async () => (await import('./commands/candidates.ts')).registerCandidates,
  unseen: async () => (await import('./commands/unseen.ts')).registerUnseen,
  rematch: async () => (await import('./commands/rematch.ts')).registerRematch,
  affected: async () => (await import('./commands/affected.ts')).registerAffected,
  explain: async () => (await import('./commands/explain.ts')).registerExplain,
  custody: async () => (await import('./commands/custody.ts')).registerCustody,
  governance: async () => (await import('./commands/governance.ts')).registerGovernance,
  reproduce: async () => (await import('./commands/reproduce.ts')).registerReproduce,
  serve: async () => (await import('./commands/serve.ts')).registerServe,
  demo: async () => (await import('./commands/demo.ts')).registerDemo,
  validate: async () => (await import('./commands/validate.ts')).registerValidate,
  admin: async () => (await import('./commands/admin.ts')).registerAdmin,
  organisation: async () => (await import('./commands/organisation.ts')).registerOrganisation,
  agreement: async () => (await import('./commands/agreement.ts')).registerAgreement,
  login: async () => (await import('./commands/login.ts')).registerLogin,
  'sign-in': async () => (await import('./commands/sign-in.ts')).registerSignIn,
  certificate: async () => (await import('./commands/certificate.ts')).registerCertificate,
  key: async () => (await import('./commands/key.ts')).registerKey,
  purpose: async () => (await import('./commands/purpose.ts')).registerPurpose,
  case: async () => (await import('./commands/case.ts')).registerCase,
  models: async () => (await import('./commands/models.ts')).registerModels,
  audit: async () => (await import('./commands/audit.ts')).registerAudit,
  db: async () => (await import('./commands/db.ts')).registerDb,
  doctor: async () => (await import('./commands/doctor.ts')).registerDoctor,
  config: async () => (await import('./commands/config.ts')).registerConfig,
};

/**
 * The command line for these arguments: with the command they begin with alone, with all of them where they begin otherwise (--help,
 * a name misspelt). A command that did its work but has something to say sets `context.exit.code`.
 */
export async function buildProgram(context: CliContext, args: readonly string[]): Promise<Command> {
  const program = new Command('homeward')
    .description(
      'Fingerprints seized material, matches it against known series, and says what is known. Results only, never imagery.',
    )
    .version(ENGINE_VERSION)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('See --help for the options of this command.')
    // --version before a command is the engine's own; after `affected` it names what was found to have a defect.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'HW_USAGE: ')),
    });
  const asked = Object.hasOwn(COMMANDS, args[0] ?? '') ? COMMANDS[args[0] ?? ''] : undefined;
  // One after the other: a module that is being loaded twice at once cannot be required in between, and row-shape.ts requires one.
  for (const load of asked === undefined ? Object.values(COMMANDS) : [asked]) (await load())(program, context);
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
