import { MOST_HASHES_OF_SEGMENT } from '../../../schemas/constants.ts';
import { HomewardError } from '../../../schemas/error.ts';
import type { MihThreads } from './mih-threads.ts';
import { Segment } from './segment.ts';

/** More segments than this and each query is asked too often. */
const MOST_SEGMENTS = 4;
/** A segment of which so much is withdrawn is made anew. */
const MOST_WITHDRAWN_SHARE = 0.25;

/**
 * Which segments should become one; none while it is good as it is. The smallest first, each next one as long as it is no more than twice what is
 * gathered by then: so each hash is copied a few times only, however often little is added.
 */
export function segmentsToGather(segments: readonly Segment[]): Segment[] {
  const withdrawn = segments.filter(
    (segment) => !segment.withdrawn.isEmpty && segment.liveCount() < segment.count * (1 - MOST_WITHDRAWN_SHARE),
  );
  if (segments.length <= MOST_SEGMENTS) return withdrawn.slice(0, 1);
  const gathered: Segment[] = [];
  let count = 0;
  for (const segment of segments.toSorted((a, b) => a.count - b.count)) {
    if (gathered.length >= 2 && segment.count > 2 * count) break;
    if (count + segment.count > MOST_HASHES_OF_SEGMENT) break;
    gathered.push(segment);
    count += segment.count;
  }
  return gathered.length >= 2 ? gathered : [];
}

/** What is left of these segments as one new one, built in the background; null where nothing is left. */
export async function gatherSegments(threads: MihThreads, old: readonly Segment[]): Promise<Segment | null> {
  const sources = old.map((segment) => ({ segment, key: segment.key, withdrawn: segment.withdrawn.toPairs() }));
  const live = old.reduce((sum, segment) => sum + segment.liveCount(), 0);
  if (live === 0) return null;
  const made = Segment.empty(live, threads.count);
  threads.attach(made);
  const count = await threads.run(
    { kind: 'gather', target: made.key, sources: sources.map(({ key, withdrawn }) => ({ key, withdrawn })) },
    'background',
  );
  if (count !== live)
    throw new HomewardError('HW_INTERNAL', `expected ${live} hashes to be gathered, received ${count}; report this`);
  await threads.build(made, 'background');
  return made;
}
