import type { KnownBy, ReportCounts, ReportHead, ReportSearch, ReportSet } from '../../schemas/report.ts';
import { byteSize, counted, groupDigits, instant } from './figures.ts';
import { neutralise } from './neutralise.ts';
import { reasonWords, unknownWords } from './words.ts';

/** What the page and the terminal both say, in the same words and the same order. */

/** The sentence every report opens with. */
export function examinedSentence(counts: ReportCounts): string {
  return (
    `Examined ${groupDigits(counts.examinedItems)} of ${counted(counts.items, 'file')}, ` +
    `${groupDigits(counts.examinedBytes)} of ${counted(counts.totalBytes, 'byte')}`
  );
}

/** The same amount of data for people: `41.2 GB of 45.0 GB`. */
export function examinedSize(counts: ReportCounts): string {
  return `${byteSize(counts.examinedBytes)} of ${byteSize(counts.totalBytes)}`;
}

export interface Notice {
  /** alarm: shown in red; the result or the machine may not be relied on as usual. */
  readonly level: 'alarm' | 'note';
  readonly title: string;
  readonly text: string;
}

/** The sets that `known` and `unseen` are said against; known-good ones say neither. */
export function knownSets(head: ReportHead): readonly ReportSet[] {
  return head.sets.filter(({ purpose }) => purpose === 'known');
}

/** What a reader must know before any figure. */
export function notices(head: ReportHead): readonly Notice[] {
  const { batch, counts } = head;
  const sets = knownSets(head);
  const found: Notice[] = [];
  const missing = missingProtection(head);
  if (missing.length > 0) {
    found.push({
      level: 'alarm',
      title: 'No full sandbox',
      text: `The processes that opened the seized files ${missing.join(', and ')}. A file that attacks its decoder could have used that. homeward doctor says what this machine lacks.`,
    });
  }
  if (!batch.complete) {
    found.push({
      level: 'alarm',
      title: 'Interrupted',
      text: 'This batch was not finished; the figures cover what was read until then. The same command with --resume goes on where it stopped.',
    });
  }
  if (head.custody?.changed === true) {
    found.push({
      level: 'alarm',
      title: 'The source has changed',
      text: `What was scanned is not what was recorded of this exhibit before: SHA-256 of ${head.custody.digestOf === 'file' ? 'the file' : 'the list of its files'} was ${head.custody.sha256Before ?? ''}, and is ${head.custody.sha256 ?? ''}. homeward custody list shows who had it.`,
    });
  }
  if (batch.mode === 'fast') {
    found.push({
      level: 'note',
      title: 'Fast mode, for triage',
      text: 'Pictures were decoded at reduced size. Perceptual hashes differ by a few bits from exact ones, so near duplicates can be missed. Repeat in exact mode before relying on what is unseen.',
    });
  }
  const awaits = head.search.awaitsRematch;
  if (awaits !== null) {
    found.push({
      level: 'alarm',
      title: 'Not compared with all that is known',
      text: `Material that was recorded earlier was not compared yet with what came into force in ${counted(awaits.sets, 'hash set')}. homeward rematch does it; then make the report again.`,
    });
  }
  if (sets.length === 0) {
    found.push({
      level: 'note',
      title: 'Nothing to compare with',
      text: 'No hash set was searched: nothing could be known, and every picture that was examined whole counts as unseen.',
    });
  }
  if (counts.contradicted > 0) {
    found.push({
      level: 'alarm',
      title: 'Sets contradict each other',
      text: `${counted(counts.contradicted, 'file')} matched known material and ${counts.contradicted === 1 ? 'is' : 'are'} in a known-good set as well. They are shown as known; one of the sets is wrong: tell both sources. The list of files names the sets.`,
    });
  }
  return found;
}

/** What known-good sets took out of the unseen; '' where nothing. */
export function knownGoodSentence({ counts: { knownGood } }: ReportHead): string {
  if (knownGood === 0) return '';
  return `${counted(knownGood, 'further file')} matched nothing known and ${knownGood === 1 ? 'is' : 'are'} in a known-good set: published software and the like, nobody\u2019s evidence.`;
}

/** From which state of what is known it is said: `Said from change 14 of what is known, of 2026-11-24 06:03:12 UTC.` */
export function searchSentence({ changeId, changedAt }: ReportSearch): string {
  return changedAt === null
    ? 'Nothing had been imported.'
    : `Said from change ${groupDigits(changeId)} of what is known, of ${instant(neutralise(changedAt, 40))}.`;
}

const MODEL_WORDS = {
  face: 'faces',
  copy: 'copies by picture vector',
  place: 'places',
  camera: 'serial numbers of cameras',
} as const;
const STATE_WORDS = {
  complete: 'compared with the series of this unit',
  interrupted: 'not all were compared, since the stage was interrupted',
  leftOut: 'left out',
} as const;

/** What was compared besides hashes, and what was not. */
export function modelLines({ models }: ReportSearch): string[] {
  return models.map(({ method, state }) => `${MODEL_WORDS[method]}: ${STATE_WORDS[state]}`);
}

function missingProtection({ batch: { sandbox } }: ReportHead): readonly string[] {
  const missing: string[] = [];
  if (sandbox.network === 'host') missing.push('could reach the network');
  if (sandbox.dataFolder === 'visible') missing.push('could see the data folder');
  return missing;
}

/** Whether the sandbox state has to be said in red. */
export function sandboxIsMissing(head: ReportHead): boolean {
  return missingProtection(head).length > 0;
}

export interface SandboxLine {
  readonly text: string;
  readonly alarm: boolean;
}

/** The sandbox state line by line, with its warnings. */
export function sandboxLines({ batch: { sandbox } }: ReportHead): readonly SandboxLine[] {
  const folder = {
    hidden: 'hidden from them',
    readRefused: 'there, but not readable by them',
    visible: 'VISIBLE to them',
  }[sandbox.dataFolder];
  const namespace = { root: 'made with root rights', user: 'made with user namespaces', none: 'none' }[
    sandbox.namespace
  ];
  return [
    {
      text:
        sandbox.network === 'none'
          ? 'network of the decoding processes: none'
          : 'network of the decoding processes: THE MACHINE\u2019S',
      alarm: sandbox.network === 'host',
    },
    { text: `data folder and keys: ${folder}`, alarm: sandbox.dataFolder === 'visible' },
    { text: `namespaces: ${namespace}`, alarm: false },
    {
      text: `memory limit by the system: ${sandbox.memoryLimit ? 'yes' : 'no'}; processor-time limit by the system: ${sandbox.cpuLimit ? 'yes' : 'no'}`,
      alarm: false,
    },
    ...sandbox.warnings.map((warning) => ({
      text: neutralise(warning, 300),
      alarm: sandbox.network === 'host' || sandbox.dataFolder === 'visible',
    })),
  ];
}

export interface Breakdown {
  readonly shown: readonly KnownBy[];
  /** What the lines not shown add up to. */
  readonly rest: { readonly lines: number; readonly known: number; readonly nearDuplicate: number };
  /** Whether the lines add up to more than the files, which OVERLAP_SENTENCE then explains. */
  readonly overlaps: boolean;
}

/** The lines behind a sum, largest first, at most `limit` of them. */
export function breakdown(counts: ReportCounts, of: 'known' | 'nearDuplicate', limit: number): Breakdown {
  const relevant = counts.knownBy.filter((line) => line[of] > 0).sort((one, other) => other[of] - one[of]);
  const rest = relevant.slice(limit);
  return {
    shown: relevant.slice(0, limit),
    rest: {
      lines: rest.length,
      known: rest.reduce((sum, line) => sum + line.known, 0),
      nearDuplicate: rest.reduce((sum, line) => sum + line.nearDuplicate, 0),
    },
    overlaps: relevant.reduce((sum, line) => sum + line[of], 0) > counts[of],
  };
}

/** Said where the lines of a breakdown add up to more than its sum. */
export const OVERLAP_SENTENCE =
  'A file that several sources or sets recorded stands in several lines, so the lines add up to more than the files.';

/** What a person does next, most pressing first. */
export function nextSteps(head: ReportHead): readonly string[] {
  const { counts, batch } = head;
  const sets = knownSets(head);
  const steps: string[] = [];
  if (!batch.complete) steps.push('Run the same command with --resume: the batch is not finished.');
  if (sets.length === 0)
    steps.push(
      'Import what is known with homeward hashset import FILE --source NAME, then scan again: nothing was compared yet.',
    );
  if (counts.unseen > 0 && sets.length > 0) {
    steps.push(
      `Look first at what is unseen: ${counted(counts.unseen, 'file')} that no searched set has recorded. A child in them may still have to be found.`,
    );
  }
  if (head.search.awaitsRematch !== null)
    steps.push('Run homeward rematch: sets came into force with which earlier material was not compared yet.');
  if (counts.unknown > 0) {
    steps.push(
      `Then look at what may be known or not: ${counted(counts.unknown, 'file')} that no hash could be relied on for (${counts.byUnknownReason.map(({ reason, items }) => `${groupDigits(items)} ${unknownWords(reason)}`).join('; ')}).`,
    );
  }
  if (counts.nearDuplicate > 0) {
    steps.push(
      `Confirm by eye, in your forensic tool, ${counted(counts.nearDuplicate, 'near duplicate')}: a perceptual match is a lead, not an identity.`,
    );
  }
  if (counts.known > 0) {
    steps.push(
      'Check recorded categories against the law that applies to you: they are their source\u2019s statement under its own scheme.',
    );
  }
  if (counts.notExamined > 0) {
    steps.push(
      `Look by other means at what was not examined: ${counted(counts.notExamined, 'file')}${reasonList(counts, 'notExamined')}.`,
    );
  }
  if (counts.rejected > 0) {
    steps.push(
      `A recovery tool may get more out of what was rejected: ${counted(counts.rejected, 'file')}${reasonList(counts, 'rejected')}.`,
    );
  }
  if (counts.failed > 0) {
    steps.push(
      `Scan again with larger budgets, or examine by other means, what failed: ${counted(counts.failed, 'file')}${reasonList(counts, 'failed')}.`,
    );
  }
  if (batch.mode === 'fast') steps.push('Repeat in exact mode (without --fast) before relying on what is unseen.');
  if (sandboxIsMissing(head)) steps.push('Run homeward doctor: it says how this machine gets a sandbox.');
  return steps;
}

function reasonList(counts: ReportCounts, outcome: 'notExamined' | 'rejected' | 'failed'): string {
  const lines = counts.byReason
    .filter((line) => line.outcome === outcome)
    .sort((one, other) => other.items - one.items);
  if (lines.length === 0) return '';
  const named = lines
    .slice(0, 3)
    .map((line) => `${groupDigits(line.items)} ${reasonWords(line.reason).split(';')[0] ?? line.reason}`);
  return ` (${named.join('; ')}${lines.length > 3 ? '; ...' : ''})`;
}

/** What no report of this engine can say. */
export function limits(head: ReportHead): readonly string[] {
  return [
    'Known means: the same bytes were recorded by the source named. It does not say what is to be seen, nor that the source was right.',
    'A perceptual match (PDQ, blockhash) is a lead that a person has to confirm. The number of chance matches to expect is given with each one, where it is known; it is an estimate.',
    'PDQ does not survive cropping, added borders or rotation by a few degrees, may miss turned copies of pictures that are small (below 512 pixels), and flat pictures are not matched by it at all. Unseen means: not found by these methods in these sets.',
    'The absence of traces of generation or editing proves nothing: they are easily removed and often never written.',
    'Capture times, cameras, serial numbers and positions are what the files say; they can be wrong, missing or forged.',
    'Only the first picture of a file with several frames or pages was examined. Video, audio, documents, camera raw files and encrypted archives were not looked into.',
    ...(head.batch.mode === 'fast'
      ? ['This is a fast-mode report: hashes were computed from reduced pictures and are for triage only.']
      : []),
    ...(head.batch.stages.some(({ stage, state }) => stage === 'models' && state !== 'complete')
      ? ['The second stage (models) did not run to its end: faces and places were not compared everywhere.']
      : []),
  ];
}
