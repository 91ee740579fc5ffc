import type { ReportItem } from '../../schemas/report.ts';
import { DEMO_GROUPS, type DemoExpectation, type DemoGroup, type DemoPlan } from './plan.ts';

/** Why each group of the demo's files comes out as it does, for somebody who sees the engine for the first time. */
const SENTENCES: Readonly<Record<DemoGroup, { readonly what: string; readonly why: string }>> = {
  copy: {
    what: 'exact copies under other names',
    why: 'Every byte is the same, so MD5, SHA-1 and SHA-256 are: known, whatever the file is called.',
  },
  reencoded: {
    what: 'saved again as JPEG at quality 60',
    why: 'Every digest changes, but the picture hardly does: PDQ is a few of its 256 bits away, within the 31 that count as a match.',
  },
  resized: { what: 'scaled to half its size', why: 'PDQ looks at 64 x 64 samples, so the size hardly matters.' },
  captioned: {
    what: 'with a caption on it',
    why: 'A line of text changes a small part of the picture, and so a few bits.',
  },
  mirrored: {
    what: 'mirrored',
    why: 'Each picture is hashed in all eight orientations, and the match says in which one it was found.',
  },
  rotated: {
    what: 'turned by 90 degrees',
    why: 'Found the same way as the mirrored ones; turns by a few degrees are not.',
  },
  cropped: {
    what: 'cropped by 30 %',
    why: 'This is a limit of the method: PDQ does not survive cropping, so they count as unseen although they are parts of known pictures.',
  },
  new: {
    what: 'scenes that nobody recorded',
    why: 'Unseen is said against the sets that were searched. In a real case these come first: a child may still have to be found.',
  },
  archive: {
    what: 'a zip archive and its entries',
    why: 'Archives are unpacked within limits and every entry is examined like a file; the archive itself is no picture.',
  },
  truncated: {
    what: 'a file that ends too early',
    why: 'What can be decoded of it is examined, and it is marked as partial; the missing part keeps it from being recognised.',
  },
  text: {
    what: 'a file that is no picture',
    why: 'Nothing is skipped in silence: it has its place, its type and a reason.',
  },
};

const STANDING_WORDS = {
  known: 'known',
  nearDuplicate: 'near duplicates',
  unseen: 'unseen',
  knownGood: 'known-good',
  unknown: 'unknown',
  none: 'not compared',
} as const;

export interface DemoLine {
  readonly group: DemoGroup;
  readonly asExpected: number;
  readonly expected: number;
  /** `5 of 5 mirrored: near duplicates.` */
  readonly finding: string;
  readonly why: string;
}

export interface DemoExplanation {
  /** Whether every file came out as planned, and no other file was there. */
  readonly asPlanned: boolean;
  readonly lines: readonly DemoLine[];
  /** Paths that came out otherwise, are missing, or were not planned; relative to the demo's folder. */
  readonly surprises: readonly string[];
}

/** Holds what a scan of the seized folder found against the plan. */
export function explainDemo(
  plan: DemoPlan,
  found: Iterable<Pick<ReportItem, 'path' | 'outcome' | 'reason' | 'standing'>>,
): DemoExplanation {
  const byPath = new Map([...found].map((item) => [withinDemo(item.path, plan.seizedFolder), item]));
  const surprises: string[] = [];
  const right = (expected: DemoExpectation): boolean => {
    const item = byPath.get(expected.path);
    byPath.delete(expected.path);
    const matches =
      item !== undefined &&
      item.outcome === expected.outcome &&
      item.reason === expected.reason &&
      item.standing === expected.standing;
    if (!matches) surprises.push(expected.path);
    return matches;
  };
  const lines = DEMO_GROUPS.flatMap((group): readonly DemoLine[] => {
    const planned = plan.expected.filter((expected) => expected.shows === group);
    if (planned.length === 0) return [];
    const asExpected = planned.filter(right).length;
    const { what, why } = SENTENCES[group];
    return [
      {
        group,
        asExpected,
        expected: planned.length,
        finding: `${what}: ${asExpected} of ${planned.length} ${outcomeWords(planned)}`,
        why,
      },
    ];
  });
  surprises.push(...byPath.keys());
  return { asPlanned: surprises.length === 0, lines, surprises };
}

/** What was planned for a group, in words: `near duplicates`, `not compared and known`, `examined in part, unseen`. */
function outcomeWords(planned: readonly DemoExpectation[]): string {
  const standings = [...new Set(planned.map((expected) => STANDING_WORDS[expected.standing]))].join(' and ');
  const outcomes = new Set(planned.map((expected) => expected.outcome));
  if (outcomes.has('partial')) return `examined in part, ${standings}`;
  return outcomes.has('notExamined') ? 'not examined' : standings;
}

function withinDemo(path: string, seizedFolder: string): string {
  const slashed = path.replaceAll('\\', '/');
  const start = slashed.lastIndexOf(`/${seizedFolder}/`);
  return start < 0 ? slashed : slashed.slice(start + 1);
}
