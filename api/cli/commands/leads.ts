import { type Command, Option } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { decideLead } from '../../../engine/leads/decide.ts';
import { pausedMethods, resumeMethod } from '../../../engine/leads/pauses.ts';
import {
  LEAST_DECIDED,
  type MethodPrecision,
  methodPrecision,
  PRECISION_FLOOR,
} from '../../../engine/leads/precision.ts';
import {
  type LeadDetail,
  type LeadSummary,
  listLeads,
  type ShownDecision,
  showLead,
} from '../../../engine/leads/queue.ts';
import { ADULTS_ONLY } from '../../../engine/leads/sentences.ts';
import {
  BASES,
  type Basis,
  LEAD_STATES,
  type LeadState,
  VERDICTS,
  type Verdict,
} from '../../../engine/leads/verdicts.ts';
import { retrying } from '../../../engine/store/sqlstate.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { counted, instant } from '../../report/figures.ts';
import { createMask, type Mask, newMaskKey } from '../../report/mask.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';
import { registerLeadExchange } from './leads-exchange.ts';

const DEFAULT_SHOWN = 20;
/** A sentence is cut no sooner than here: a lead without its reason is of no use. */
const MOST_SENTENCE_CHARACTERS = 1_000;
/** Places of one content that are printed; JSON has them all. */
const MOST_PLACES = 20;

interface ReadOptions extends CommonOptions {
  readonly json?: true;
  readonly reveal?: true;
}
interface ListOptions extends ReadOptions {
  readonly case?: string;
  readonly series?: string;
  readonly state?: LeadState;
  readonly most: number;
}
interface DecideOptions extends CommonOptions {
  readonly verdict: Verdict;
  readonly basis?: Basis;
  readonly note?: string;
}
interface ResumeOptions extends CommonOptions {
  readonly algorithm?: string;
  readonly reason: string;
}

export function registerLeads(program: Command, context: CliContext): void {
  const leads = program
    .command('leads')
    .description('what may belong to a known series: why, and what people decided')
    .addHelpText('after', `\n${ADULTS_ONLY}`);
  withCommonOptions(leads.command('list'))
    .description('leads that wait for somebody, the heaviest first, each with its reasons')
    .option('--case <ref>', 'of this case only')
    .option('--series <name>', 'against series of this name only')
    .addOption(
      new Option('--state <state>', 'in this state (default: what waits for somebody)').choices([...LEAD_STATES]),
    )
    .option('--most <count>', 'how many are shown', positiveInteger, DEFAULT_SHOWN)
    .option('--json', 'as JSON')
    .option('--reveal', 'show series names in full (recorded)')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward leads list --case 2026-0412\n  homeward leads list --state confirmed --json',
    )
    .action(async (options: ListOptions) => await list(context, options));
  withCommonOptions(leads.command('show'))
    .description('one lead: where its content lies, its evidence, and decisions unless they are to be kept from you')
    .argument('<lead>', 'its number', positiveInteger)
    .option('--json', 'as JSON')
    .option('--reveal', 'show names and paths in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward leads show 12 --reveal')
    .action(async (leadId: number, options: ReadOptions) => await show(context, leadId, options));
  withCommonOptions(leads.command('decide'))
    .description('record your verdict; to confirm takes two people, and more than metadata')
    .argument('<lead>', 'its number', positiveInteger)
    .addOption(new Option('--verdict <verdict>', 'what you found').choices([...VERDICTS]).makeOptionMandatory())
    .addOption(new Option('--basis <basis>', 'what it rests on; needed to confirm').choices([...BASES]))
    .option('--note <text>', 'in your own words, up to 1,000 characters')
    .addHelpText(
      'after',
      '\nExample:\n  homeward leads decide 12 --verdict confirmed --basis viewed --as "A. Examiner"',
    )
    .action(async (leadId: number, options: DecideOptions) => await decide(context, leadId, options));
  withCommonOptions(leads.command('precision'))
    .description('how often the leads of each method were right, and which methods are paused for it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward leads precision')
    .action(async (options: ReadOptions) => await precision(context, options));
  withCommonOptions(leads.command('resume'))
    .description('use a paused method again; its precision is counted anew')
    .argument('<method>', 'such as place')
    .option('--algorithm <id>', 'only this one of its algorithms')
    .requiredOption('--reason <text>', 'why, for the record')
    .addHelpText('after', '\nExample:\n  homeward leads resume place --reason "threshold raised"')
    .action(async (method: string, options: ResumeOptions) => await resume(context, method, options));
  registerLeadExchange(leads, context);
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const { found, paused } = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'leads list', options), async () => {
        const leads = await listLeads(db, {
          ...(options.case === undefined ? {} : { caseRef: options.case }),
          ...(options.series === undefined ? {} : { series: options.series }),
          ...(options.state === undefined ? {} : { states: [options.state] }),
          viewer: config.actor,
          most: options.most,
        });
        return {
          result: { found: leads, paused: await pausedMethods(db) },
          objects: leads.slice(0, 500).map((lead) => `lead ${lead.leadId}`),
        };
      }),
  );
  if (options.json) {
    printLine(context, JSON.stringify({ leads: found, pausedMethods: paused, adultsOnly: ADULTS_ONLY }, null, 2));
    return;
  }
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  for (const pause of paused) {
    printLine(
      context,
      `Paused: ${pause.method} (${pause.algorithm}): ${pause.confirmed} of ${pause.decided} leads were confirmed; no new lead rests on it alone. homeward leads resume ${pause.method} --reason TEXT`,
    );
  }
  if (found.length === 0) printLine(context, 'No leads here that wait for anybody.');
  for (const lead of found) for (const line of summaryText(lead, mask)) printLine(context, line);
}

async function show(context: CliContext, leadId: number, options: ReadOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const lead = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'leads show', options), async () => ({
        result: await showLead(db, leadId, config.actor),
        objects: [`lead ${leadId}`],
      })),
  );
  if (options.json) printLine(context, JSON.stringify(lead, null, 2));
  else {
    const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
    for (const line of detailText(lead, mask)) printLine(context, line);
  }
}

async function decide(context: CliContext, leadId: number, options: DecideOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const note = options.note ?? null;
  if (note !== null && note.length > 1_000)
    throw new HomewardError(
      'HW_USAGE',
      `expected a note of up to 1,000 characters, received ${note.length}; shorten it`,
    );
  const decided = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', `leads decide ${options.verdict}`), async () => ({
        result: await retrying(
          async () =>
            await db.transaction(
              async (tx) =>
                await decideLead(tx, {
                  leadId,
                  verdict: options.verdict,
                  basis: options.basis ?? null,
                  note,
                  decidedBy: config.actor,
                }),
            ),
        ),
        objects: [`lead ${leadId}`],
      })),
  );
  printLine(
    context,
    `${decided.recorded ? 'Recorded' : 'Recorded before'}: lead ${leadId} is ${stateWords(decided.state)}.${decided.stillNeeded === null ? '' : ` ${decided.stillNeeded}`}`,
  );
  for (const one of decided.nowPaused) printLine(context, `  ${pausedText(one)}`);
}

async function precision(context: CliContext, options: ReadOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const methods = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'leads precision'), async () => ({
        result: await methodPrecision(db),
      })),
  );
  if (options.json) {
    printLine(context, JSON.stringify({ floor: PRECISION_FLOOR, leastDecided: LEAST_DECIDED, methods }, null, 2));
    return;
  }
  if (methods.length === 0) printLine(context, 'Nobody has decided on a lead yet.');
  for (const one of methods) {
    const decided = one.confirmed + one.rejected;
    printLine(
      context,
      `${one.method} (${one.algorithm}): ${one.confirmed} of ${decided} decided leads confirmed, 95 % bounds ${one.lower95.toFixed(2)} to ${one.upper95.toFixed(2)}, ${one.undecided} undecided${one.countedSince === null ? '' : `, counted since it was resumed on ${instant(one.countedSince)}`}${one.pausedAt === null ? '' : '; PAUSED'}`,
    );
  }
  printLine(
    context,
    `A method is paused when the lower bound is under ${PRECISION_FLOOR} with ${LEAST_DECIDED} or more decided.`,
  );
}

async function resume(context: CliContext, method: string, options: ResumeOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const resumed = await withDatabase(
    config,
    async (db) =>
      await withAudit(
        db,
        auditActOf(config, 'alteration', 'leads resume', { justification: options.reason }),
        async () => {
          const algorithms = await db.transaction(
            async (tx) =>
              await resumeMethod(tx, {
                method,
                algorithm: options.algorithm ?? null,
                resumedBy: config.actor,
                reason: options.reason.slice(0, 1_000),
              }),
          );
          return { result: algorithms, objects: algorithms.map((algorithm) => `method ${method} ${algorithm}`) };
        },
      ),
  );
  if (resumed.length === 0) {
    throw new HomewardError(
      'HW_USAGE',
      `expected a method that is paused, received ${JSON.stringify(method)}, which is not; homeward leads precision shows which are`,
    );
  }
  printLine(
    context,
    `Resumed: ${resumed.map((algorithm) => `${method} (${algorithm})`).join(', ')}; counted anew from now on.`,
  );
}

function summaryText(lead: LeadSummary, mask: Mask): string[] {
  const where = lead.cases
    .map(
      ({ caseRef, exhibitRef, items }) =>
        `case ${neutralise(caseRef) || 'none'} exhibit ${neutralise(exhibitRef) || 'none'} (${counted(items, 'item')})`,
    )
    .join(', ');
  return [
    `Lead ${lead.leadId}: ${mask.words('series', lead.series)} from ${neutralise(lead.source)}, weight 10^${lead.log10LikelihoodRatio.toFixed(1)}, ${stateWords(lead.state)}${lead.decidedByYou ? ', decided by you' : ''}; ${where || 'in no batch'}`,
    ...lead.reasons.map(
      (reason) =>
        `  ${reason.matchId}: ${neutralise(reason.sentence, MOST_SENTENCE_CHARACTERS)}${reason.counted ? '' : ' Not counted.'}${reason.paused ? ' Its method is paused.' : ''}`,
    ),
    ...(lead.uncorroborated ? ['  Uncorroborated: all of its evidence is of one family of methods.'] : []),
    ...(lead.adultsOnly ? [`  ${ADULTS_ONLY}`] : []),
  ];
}

function detailText(lead: LeadDetail, mask: Mask): string[] {
  return [
    ...summaryText(lead, mask),
    `  sha256 ${lead.sha256}`,
    ...lead.items.slice(0, MOST_PLACES).map((item) => `  ${mask.path(item.path)}`),
    ...(lead.items.length > MOST_PLACES ? [`  and ${counted(lead.items.length - MOST_PLACES, 'more place')}`] : []),
    ...lead.faces.map(
      (face) =>
        `  face ${face.faceId} at ${face.x},${face.y}, ${face.width} x ${face.height} pixels as stored in the file`,
    ),
    ...(lead.decisions === null
      ? ['  Decisions of others are kept from you until you have decided.']
      : lead.decisions.flatMap((one) => decisionText(one, mask))),
  ];
}

function decisionText(one: ShownDecision, mask: Mask): string[] {
  return [
    `  ${instant(one.decidedAt)} ${neutralise(one.decidedBy)}: ${stateWords(one.verdict)}${one.basis === null ? '' : ` (${one.basis})`}${one.note === null ? '' : `, ${mask.words('comment', one.note)}`}`,
    ...one.evidence.map(
      ({ id, method, algorithm, distance, threshold, inForce }) =>
        `    it rested on ${id}: ${method} (${neutralise(algorithm)}), distance ${Number(distance.toFixed(3))} where ${Number(threshold.toFixed(3))} is allowed${inForce ? '' : '; withdrawn since'}`,
    ),
  ];
}

function pausedText(one: MethodPrecision): string {
  return `Paused: ${one.method} (${one.algorithm}), of whose ${one.confirmed + one.rejected} decided leads ${one.confirmed} were confirmed.`;
}

function stateWords(state: LeadState): string {
  return state === 'needsSecondOpinion' ? 'in need of a second opinion' : state;
}
