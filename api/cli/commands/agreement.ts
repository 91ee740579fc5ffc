import { type Command, Option } from 'commander';
import {
  activateAgreement,
  evaluateAgreement,
  type ListedAgreement,
  listAgreements,
  proposeAgreement,
  revokeAgreement,
} from '../../../engine/access/agreements.ts';
import {
  AGREED_FIELDS,
  type AgreedField,
  MODALITIES,
  type Modality,
  PURGES,
  type Purge,
  TIERS,
  type Tier,
  TLP_LEVELS,
  type Tlp,
} from '../../../schemas/access.ts';
import { purgeEndedAgreements } from '../../compose/agreement-purges.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';

interface AddOptions extends CommonOptions {
  readonly tier: Tier;
  readonly purpose: string[];
  readonly modality: Modality[];
  readonly tlp: Tlp;
  readonly field?: AgreedField[];
  readonly purge?: Purge[];
  readonly daily: number;
  readonly perMinute: number;
  readonly from: string;
  readonly until: string;
}
interface EvaluateOptions extends CommonOptions {
  readonly criteria: string;
  readonly findings: string;
  readonly reviewOn: string;
}

export function registerAgreement(program: Command, context: CliContext): void {
  const agreement = program
    .command('agreement')
    .description('what partners may ask: add, evaluate, activate, revoke, purge, list');
  registerAdd(agreement, context);
  withCommonOptions(agreement.command('evaluate'))
    .description(
      'record what came of holding the partner against the written criteria; the terms stay as they are from then on',
    )
    .argument('<agreement-id>')
    .requiredOption('--criteria <text>', 'the written criteria with their edition')
    .requiredOption('--findings <text>', 'what came of it')
    .requiredOption('--review-on <day>', 'when it is looked at again, at the latest on its last day')
    .addHelpText(
      'after',
      '\nExample:\n  homeward agreement evaluate ID --criteria "partner criteria 2026-03" --findings "all met" --review-on 2027-05-31',
    )
    .action(async (id: string, { criteria, findings, reviewOn, ...options }: EvaluateOptions) => {
      await actOnAccess(context, options, 'alteration', 'agreement evaluate', async (db, by) => ({
        result: await evaluateAgreement(db, id, { criteria, findings, reviewOn }, by),
        objects: [`agreement ${id}`],
      }));
      printLine(context, `Evaluated; a second person puts it in force: homeward agreement activate ${id}`);
    });
  withCommonOptions(agreement.command('activate'))
    .description('put an evaluated agreement in force, by another person than who added it')
    .argument('<agreement-id>')
    .addHelpText('after', '\nExample:\n  homeward agreement activate ID --as "second administrator"')
    .action(async (id: string, options: CommonOptions) => {
      await actOnAccess(context, options, 'alteration', 'agreement activate', async (db, by) => ({
        result: await activateAgreement(db, id, by),
        objects: [`agreement ${id}`],
      }));
      printLine(context, 'In force from its first day on.');
    });
  withCommonOptions(agreement.command('revoke'))
    .description('end an agreement for good; nothing is answered under it within a second')
    .argument('<agreement-id>')
    .requiredOption('--reason <text>', 'why')
    .addHelpText('after', '\nExample:\n  homeward agreement revoke ID --reason "the laboratory was closed"')
    .action(async (id: string, options: CommonOptions & { readonly reason: string }) => {
      await actOnAccess(context, options, 'alteration', 'agreement revoke', async (db, by) => ({
        result: await revokeAgreement(db, id, options.reason, by),
        objects: [`agreement ${id}`],
      }));
      printLine(context, 'Revoked.');
    });
  withCommonOptions(agreement.command('purge'))
    .description('carry out the purges that ended agreements name; homeward serve does so by itself')
    .addHelpText('after', '\nExample:\n  homeward agreement purge')
    .action(async (options: CommonOptions) => {
      const { config } = await configFor(context, options);
      const purged = await withDatabase(config, async (db) => await purgeEndedAgreements(db, config));
      if (purged.length === 0) printLine(context, 'Nothing is to be purged.');
      for (const { finished, sets, cases } of purged)
        printLine(
          context,
          finished ? `Purged ${sets} sets and ${cases} cases.` : 'Something of it is still under way; run it again.',
        );
    });
  registerAccessList(agreement, context, {
    action: 'agreement list',
    description: 'all agreements, the latest first',
    read: async (db) => await listAgreements(db),
    lineOf: textOf,
    none: 'There is no agreement; homeward agreement add enters one.',
  });
}

function registerAdd(agreement: Command, context: CliContext): void {
  withCommonOptions(agreement.command('add'))
    .description('enter the terms; nothing is answered under them before they are evaluated and activated')
    .argument('<organisation-id>')
    .addOption(new Option('--tier <tier>', 'how far it is let in').choices(TIERS).makeOptionMandatory())
    .requiredOption('--purpose <code...>', 'codes of homeward purpose list')
    .addOption(new Option('--modality <name...>', 'what may be compared').choices(MODALITIES).makeOptionMandatory())
    .addOption(
      new Option('--tlp <level>', 'the highest level of what it is answered').choices(TLP_LEVELS).default('AMBER'),
    )
    .addOption(new Option('--field <name...>', 'what its answers hold besides').choices(AGREED_FIELDS))
    .addOption(new Option('--purge <what...>', 'what of the partner goes once the agreement has ended').choices(PURGES))
    .requiredOption('--daily <n>', 'look-ups of the organisation a day', positiveInteger)
    .requiredOption('--per-minute <n>', 'look-ups of one caller a minute', positiveInteger)
    .requiredOption('--from <day>', 'the first day (UTC)')
    .requiredOption('--until <day>', 'the last day (UTC)')
    .addHelpText(
      'after',
      '\nExample:\n  homeward agreement add lab-north --tier accredited --purpose victim-identification --modality digest perceptual --daily 20000 --per-minute 600 --from 2026-12-01 --until 2027-11-30',
    )
    .action(async (organisationId: string, options: AddOptions) => {
      const agreementId = await actOnAccess(context, options, 'alteration', 'agreement add', async (db, by) => {
        const result = await proposeAgreement(
          db,
          {
            organisationId,
            tier: options.tier,
            purposes: options.purpose,
            modalities: options.modality,
            highestTlp: options.tlp,
            fields: options.field ?? [],
            purges: options.purge ?? [],
            dailyQuota: options.daily,
            perMinute: options.perMinute,
            firstDay: options.from,
            lastDay: options.until,
          },
          by,
        );
        return { result, objects: [`agreement ${result}`, `organisation ${organisationId}`] };
      });
      printLine(context, `Added ${agreementId}; not in force: homeward agreement evaluate comes next.`);
    });
}

function textOf(one: ListedAgreement): string {
  const review = one.reviewOn === null ? '' : `, review on ${one.reviewOn}`;
  return (
    `${one.agreementId}: ${one.organisationId}, ${one.tier}, ${one.state}, ${one.firstDay} to ${one.lastDay}, up to TLP:${one.highestTlp}, ` +
    `${one.purposes.join(' ')}, ${one.modalities.join(' ')}, ${one.dailyQuota} a day, ${one.perMinute} a minute${review}` +
    (one.purges.length === 0 ? '' : `, ${one.purgedAt === null ? 'then goes' : 'gone'}: ${one.purges.join(' ')}`) +
    (one.revokedReason === null ? '' : `: ${neutralise(one.revokedReason)}`)
  );
}
