import type { ReportItem } from '../../schemas/report.ts';
import type { DemoExpectation, DemoGroup } from './plan.ts';

/** What each group of the demo's files shows, for somebody who sees the engine for the first time. */
const SENTENCES: Readonly<Record<DemoGroup, string>> = {
  copy: 'The same bytes as a known picture: known by digest, whatever the file is called.',
  reencoded: 'Saved again as a worse JPEG: other bytes, so no digest matches; PDQ sees the same picture.',
  resized: 'Half the size: PDQ sees the same picture.',
  captioned: 'A caption written over it: PDQ sees the same picture.',
  mirrored: 'Mirrored: found in the orientation flipY, because all eight orientations are searched.',
  rotated: 'Turned by a quarter: found in its orientation, for the same reason.',
  cropped: 'A third cut away: not found. PDQ does not survive crops; the models of the second stage are for these.',
  new: 'Never seen before: unseen. These come first for a specialist.',
  archive: 'In a zip: unpacked in a process of its own, and what is in it is examined like any other file.',
  truncated: 'Cut off in the middle: partial, and said so.',
  text: 'No picture: not examined, and said so. Nothing is skipped in silence.',
};

export interface DemoLine {
  readonly group: DemoGroup;
  readonly sentence: string;
  readonly expected: number;
  /** How many came out as expected. */
  readonly asExpected: number;
  /** What came out instead, in words. */
  readonly otherwise: readonly string[];
}

/** Holds what the scan found against what the plan expects, group by group. */
export function explainDemo(expected: readonly DemoExpectation[], found: ReadonlyMap<string, ReportItem>): DemoLine[] {
  return [...Map.groupBy(expected, (one) => one.shows)].map(([group, files]) => {
    const otherwise = files.flatMap((file) => {
      const item = found.get(file.path);
      if (item === undefined) return [`${file.path}: no item`];
      const asExpected =
        item.outcome === file.outcome && item.standing === file.standing && item.reason === file.reason;
      return asExpected ? [] : [`${file.path}: ${item.outcome}, ${item.standing}, ${item.reason ?? 'no reason'}`];
    });
    return {
      group,
      sentence: SENTENCES[group],
      expected: files.length,
      asExpected: files.length - otherwise.length,
      otherwise,
    };
  });
}
