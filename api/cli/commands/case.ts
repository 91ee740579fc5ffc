import type { Command } from 'commander';
import { accessNotFound } from '../../../engine/access/access-error.ts';
import { assignCase, type ListedCase, listCases, openCase } from '../../../engine/access/cases.ts';
import { findPrincipal } from '../../../engine/access/principals.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';
import { registerRetention } from './case-retention.ts';

interface OpenOptions extends CommonOptions {
  readonly jointUntil?: string;
}
interface AssignOptions extends CommonOptions {
  readonly of: string;
  readonly label: string;
}

export function registerCase(program: Command, context: CliContext): void {
  const caseCommand = program
    .command('case')
    .description('cases: who works on them, and what becomes of their material');
  withCommonOptions(caseCommand.command('open'))
    .description('open a case of an organisation; its batches of that reference are part of it')
    .argument('<organisation-id>')
    .argument('<reference>', 'as its batches name it with --case')
    .option('--joint-until <day>', 'with members of several organisations, until this day')
    .addHelpText('after', '\nExample:\n  homeward case open unit-7 2026-0412 --joint-until 2027-06-30')
    .action(async (organisationId: string, caseRef: string, options: OpenOptions) => {
      const caseId = await actOnAccess(context, options, 'alteration', 'case open', async (db, by) => {
        const result = await openCase(db, { organisationId, caseRef, jointUntil: options.jointUntil ?? null }, by);
        return { result, objects: [`case ${result}`] };
      });
      printLine(context, `Opened ${neutralise(caseRef)}: ${caseId}`);
    });
  withCommonOptions(caseCommand.command('assign'))
    .description('assign an open case to somebody, who may ask for it from then on')
    .argument('<case-id>')
    .requiredOption('--of <organisation-id>', 'whose he is')
    .requiredOption('--label <text>', 'as homeward key list names him')
    .addHelpText(
      'after',
      '\nExample:\n  homeward case assign 3f0c3c5e-6f0e-4f0a-9d4e-0f5b6c7d8e9f --of lab-north --label "intake station"',
    )
    .action(async (caseId: string, options: AssignOptions) => await assign(context, caseId, options));
  registerAccessList(caseCommand, context, {
    action: 'case list',
    description: 'the cases, the latest first',
    read: listCases,
    lineOf: textOf,
    none: 'There is no case; homeward case open opens one.',
  });
  registerRetention(caseCommand, context);
}

async function assign(context: CliContext, caseId: string, options: AssignOptions): Promise<void> {
  await actOnAccess(context, options, 'alteration', 'case assign', async (db, by) => {
    const principalId = await findPrincipal(db, options.of, options.label);
    if (principalId === null)
      throw accessNotFound('a principal', options.label, 'homeward key list shows whose keys there are');
    await assignCase(db, { caseId, principalId }, by);
    return { result: undefined, objects: [`case ${caseId}`, `principal ${principalId}`] };
  });
  printLine(context, `Assigned to ${neutralise(options.label)}.`);
}

function textOf({ caseId, organisationId, caseRef, state, joint, lastDay, members, batches }: ListedCase): string {
  const until = joint && lastDay !== null ? `, joint until ${lastDay}` : '';
  return `${caseId}: ${neutralise(caseRef)} of ${organisationId}, ${state}${until}, ${members} members, ${batches} batches`;
}
