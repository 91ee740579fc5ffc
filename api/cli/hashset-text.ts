import type { HashSet } from '../../engine/hashset/sets.ts';
import type { LeadsFollowed } from '../../engine/leads/follow-sets.ts';
import { groupDigits } from '../report/figures.ts';
import { neutralise } from '../report/neutralise.ts';

/** Of the leads that followed a set; an entry of the audit trail holds 1,000 objects. */
const MOST_LEADS_NAMED = 500;

/** For the audit trail: the leads themselves, as far as an entry holds them, and how many of each. */
export function leadObjects(leads: LeadsFollowed): string[] {
  if (leads.leadIds.length === 0) return [];
  const { opened, changed, withdrawn } = leads;
  return [
    `leads: ${withdrawn} withdrawn, ${changed} changed, ${opened} opened`,
    ...leads.leadIds.slice(0, MOST_LEADS_NAMED).map((leadId) => `lead ${leadId}`),
  ];
}

export function leadsText({ opened, changed, withdrawn }: LeadsFollowed): string[] {
  const parts = [
    ...(withdrawn > 0 ? [`${groupDigits(withdrawn)} withdrawn, since no evidence is left`] : []),
    ...(changed > 0 ? [`${groupDigits(changed)} changed in weight or state`] : []),
    ...(opened > 0 ? [`${groupDigits(opened)} opened`] : []),
  ];
  return parts.length === 0 ? [] : [`  leads: ${parts.join('; ')}`];
}

/** What was left out and what was noted, a line each. */
export function countsText(
  rejected: Readonly<Record<string, number>>,
  notes: Readonly<Record<string, number>>,
): string[] {
  const lines = (word: string, counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`  ${word} ${groupDigits(count)}: ${name}`] : []));
  return [...lines('rejected', rejected), ...lines('noted', notes)];
}

export const objectOf = (set: Pick<HashSet, 'setId' | 'version'>): string =>
  `hash set ${set.setId} version ${set.version}`;

export function setText(set: HashSet): string {
  const revision = set.revision === 0 ? '' : ` revision ${set.revision}`;
  const purpose = set.purpose === 'known' ? '' : `, ${set.purpose}`;
  const radius = set.radiusBits === null ? '' : `, within ${set.radiusBits} bits`;
  const held = set.heldReason === null ? '' : ` (${set.heldReason})`;
  return `${neutralise(set.name)} version ${set.version}${revision} from ${neutralise(set.source)}: ${groupDigits(set.records)} records, ${set.format}${set.formatVersion === null ? '' : ` ${set.formatVersion}`}${purpose}${radius}, ${set.state}${held}, TLP:${set.tlp}${set.owner === null ? '' : ` of ${set.owner}`}, imported ${set.importedAt}`;
}
