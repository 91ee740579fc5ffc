import type { Command } from 'commander';
import { addOrganisation, type ListedOrganisation, listOrganisations } from '../../../engine/access/organisations.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';

interface AddOptions extends CommonOptions {
  readonly name: string;
  readonly contact?: string;
}

export function registerOrganisation(program: Command, context: CliContext): void {
  const organisation = program.command('organisation').description('who may have agreements: add, list');
  withCommonOptions(organisation.command('add'))
    .description('add a partner; batches and hash sets that name it by exactly its name or id are its own from then on')
    .argument('<id>', 'short, such as lab-north')
    .requiredOption('--name <text>', 'as its batches and hash sets name it')
    .option('--contact <reference>', 'whom its partners ask: a desk, never a person')
    .addHelpText(
      'after',
      '\nExample:\n  homeward organisation add lab-north --name "Forensic laboratory north" --contact "desk 4"',
    )
    .action(async (id: string, options: AddOptions) => await add(context, id, options));
  registerAccessList(organisation, context, {
    action: 'organisation list',
    description: 'the organisations, the one that runs the engine first',
    read: listOrganisations,
    lineOf: textOf,
    none: 'There is no organisation yet; homeward admin init makes the first one.',
  });
}

async function add(context: CliContext, organisationId: string, options: AddOptions): Promise<void> {
  const taken = await actOnAccess(context, options, 'alteration', 'organisation add', async (db, by) => {
    const { name, contact = null } = options;
    const result = await addOrganisation(db, { organisationId, name, contactReference: contact, home: false }, by);
    return { result, objects: [`organisation ${organisationId}`] };
  });
  printLine(
    context,
    `Added ${organisationId}; ${taken.batches} batches, ${taken.hashSets} hash sets and ${taken.series} series are its. Nothing is answered to it without an agreement.`,
  );
}

function textOf({ organisationId, name, home, principals, contactReference }: ListedOrganisation): string {
  const contact = contactReference === null ? '' : `, ask ${neutralise(contactReference)}`;
  return `${organisationId}: ${neutralise(name)}${home ? ', runs this engine' : ''}, ${principals} principals${contact}`;
}
