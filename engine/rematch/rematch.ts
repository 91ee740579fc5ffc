import { type SuspendedRecord, suspendOverused } from '../hashset/suspend.ts';
import type { BitFindings, Contradiction } from '../match/bit-evidence.ts';
import { loadSetRules } from '../match/set-rules.ts';
import type { Db } from '../store/db.ts';
import {
  beginPass,
  finishPass,
  newRangesSql,
  notePassed,
  type RematchedSet,
  type RematchPass,
  rematchedSets,
  windowEnd,
} from '../store/queries/rematch-pass.ts';
import { contradictStored } from './contradict.ts';
import { findNewDigestMatches } from './digests.ts';
import { evidenceByMedia, type MediaEvidence, recordEvidence } from './evidence.ts';
import { NewHashes } from './new-hashes.ts';
import { readStoredFingerprints } from './stored-fingerprints.ts';

/** Media gone through together: some 10 MB of hashes, and little to do again after a kill. */
const MEDIA_PER_WINDOW = 20_000;
/** Media of which evidence is recorded in one transaction. */
const MEDIA_PER_TRANSACTION = 500;

export interface RematchRequest {
  /** Stops after the media in hand; what is left is gone on with by the next call. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: { readonly passedMediaId: number; readonly lastMediaId: number }) => void;
  readonly mediaPerWindow?: number;
  /** A record that hits more unrelated cases than this is suspended; 0: none is. */
  readonly suspendAfterCases: number;
}

export interface RematchResult {
  readonly state: 'complete' | 'interrupted';
  /** Of the sets that came in; by those without a line nothing was found. An interrupted pass counts with what it had found before. */
  readonly sets: readonly RematchedSet[];
  /** Records that turned out to hit too many unrelated cases. */
  readonly suspended: readonly SuspendedRecord[];
}

/**
 * Compares all stored media with the records that came into the search since they were last gone through: digests by joins over sets,
 * perceptual hashes by an index over the new ones alone, past which the stored fingerprints stream. Evidence is recorded and leads follow
 * as after a scan. What a kill or `signal` leaves is gone on with by the next call; anything done twice adds nothing.
 *
 * Media that a scan records meanwhile are not missed: see `holdSearched`.
 */
export async function rematch(db: Db, request: RematchRequest): Promise<RematchResult> {
  const passes: number[] = [];
  const suspended: SuspendedRecord[] = [];
  let state: RematchResult['state'] = 'complete';
  // Again until nothing is left: sets may have come into force while an interrupted pass was ended.
  for (;;) {
    const pass = await beginPass(db);
    if (pass === null) break;
    passes.push(pass.rematchId);
    if (!(await goThrough(db, pass, request, suspended))) {
      state = 'interrupted';
      break;
    }
    await finishPass(db, pass.rematchId);
  }
  return { state, sets: await rematchedSets(db, passes), suspended };
}

/** @returns false where it was stopped before its end */
async function goThrough(
  db: Db,
  pass: RematchPass,
  request: RematchRequest,
  suspended: SuspendedRecord[],
): Promise<boolean> {
  const ranges = pass.lastMediaId > pass.doneMediaId ? await newRangesSql(db, pass) : null;
  if (ranges === null) return true;
  const hashes = await NewHashes.load(db, ranges);
  try {
    const perWindow = request.mediaPerWindow ?? MEDIA_PER_WINDOW;
    let next = readWindow(db, pass, pass.doneMediaId, perWindow, ranges, hashes);
    for (;;) {
      if (request.signal.aborted) {
        await next;
        return false;
      }
      const window = await next;
      if (window === null) return true;
      // The next ones are read while these are compared in another thread.
      next = readWindow(db, pass, window.lastMediaId, perWindow, ranges, hashes);
      // Heard of when it is waited for.
      next.catch(() => undefined);
      const { digests, stored } = window;
      const rules = await loadSetRules(db);
      const { evidence, contradictions } =
        stored === null || hashes === null ? NOTHING_FOUND : await hashes.evidenceOf(stored, rules);
      const found = evidenceByMedia(digests, stored?.of ?? [], evidence);
      await record(db, pass.rematchId, found);
      await contradictStored(db, byMedia(contradictions, stored?.of ?? []));
      const recordIds = found.flatMap(({ of }) => of.flatMap(({ matches }) => matches.map((one) => one.recordId)));
      suspended.push(...(await suspendOverused(db, [...new Set(recordIds)], request.suspendAfterCases)));
      await notePassed(db, pass.rematchId, window.lastMediaId);
      request.onProgress?.({ passedMediaId: window.lastMediaId, lastMediaId: pass.lastMediaId });
    }
  } finally {
    await hashes?.close();
  }
}

const NOTHING_FOUND: BitFindings = { evidence: new Map(), contradictions: new Map() };

/** What contradicts each content, whichever of its fingerprints was near; the nearest where several were. */
function byMedia(
  contradictions: BitFindings['contradictions'],
  fingerprints: readonly { readonly mediaId: number }[],
): Map<number, Contradiction> {
  const found = new Map<number, Contradiction>();
  for (const [at, contradiction] of contradictions) {
    const mediaId = fingerprints[at]?.mediaId;
    if (mediaId === undefined) continue;
    const before = found.get(mediaId);
    if (before === undefined || contradiction.distanceBits < before.distanceBits) found.set(mediaId, contradiction);
  }
  return found;
}

async function readWindow(
  db: Db,
  pass: RematchPass,
  afterMediaId: number,
  count: number,
  ranges: string,
  hashes: NewHashes | null,
) {
  const lastMediaId = await windowEnd(db, pass, afterMediaId, count);
  if (lastMediaId === null) return null;
  const digests = await findNewDigestMatches(db, ranges, afterMediaId, lastMediaId);
  const stored =
    hashes === null
      ? null
      : await db.transaction(
          async (tx) =>
            await readStoredFingerprints(tx, afterMediaId, lastMediaId, (algorithm) => hashes.has(algorithm)),
        );
  return { lastMediaId, digests, stored };
}

async function record(db: Db, rematchId: number, found: readonly MediaEvidence[]): Promise<void> {
  for (let at = 0; at < found.length; at += MEDIA_PER_TRANSACTION)
    await recordEvidence(db, rematchId, found.slice(at, at + MEDIA_PER_TRANSACTION));
}
