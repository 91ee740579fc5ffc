import type { Command } from 'commander';
import { addPurpose, type ListedPurpose, listPurposes } from '../../../engine/access/purposes.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';

interface AddOptions extends CommonOptions {
  readonly description: string;
  readonly reviewedBy: string;
  readonly reviewedOn: string;
}

export function registerPurpose(program: Command, context: CliContext): void {
  const purpose = program.command('purpose').description('the reviewed table of purposes: add, list');
  withCommonOptions(purpose.command('add'))
    .description('add a purpose that was reviewed')
    .argument('<code>', 'such as victim-identification')
    .requiredOption('--description <text>', 'what it covers')
    .requiredOption('--reviewed-by <name>', 'who reviewed it, such as the data protection officer')
    .requiredOption('--reviewed-on <day>', 'such as 2026-11-30')
    .addHelpText(
      'after',
      '\nExample:\n  homeward purpose add victim-identification --description "find out who a victim is" --reviewed-by "data protection officer" --reviewed-on 2026-11-30',
    )
    .action(async (code: string, options: AddOptions) => {
      await actOnAccess(context, options, 'alteration', 'purpose add', async (db, by) => {
        const { description, reviewedBy, reviewedOn } = options;
        await addPurpose(db, { code, description, reviewedBy, reviewedOn }, by);
        return { result: undefined, objects: [`purpose ${code}`] };
      });
      printLine(context, `Added ${code}.`);
    });
  registerAccessList(purpose, context, {
    action: 'purpose list',
    description: 'the codes that may be given as a purpose',
    read: listPurposes,
    lineOf: textOf,
    none: 'There is no purpose yet, so nothing may be asked; homeward purpose add adds one.',
  });
}

function textOf({ code, description, reviewedBy, reviewedOn, retiredAt }: ListedPurpose): string {
  const retired = retiredAt === null ? '' : `, retired ${retiredAt}`;
  return `${code}: ${neutralise(description)} (reviewed by ${neutralise(reviewedBy)} on ${reviewedOn}${retired})`;
}
