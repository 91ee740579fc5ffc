/** The whole matching of a batch against a national set: perceptual search, look-up of digests, recording of what was found. */

import { findBitEvidence } from '../engine/match/bit-evidence.ts';
import { loadSetRules } from '../engine/match/set-rules.ts';
import type { BitSearch } from '../engine/search/bit-search.ts';
import { openBitSearch } from '../engine/search/open-bit-search.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import { findDigestMatches, holdSetsInForce, recordMatches } from '../engine/store/queries/record-matches.ts';
import { ORIENTATIONS } from '../schemas/constants.ts';
import type { Examination } from '../schemas/fingerprint.ts';
import { type BenchOptions, figure, judged, type Measure } from './harness.ts';
import { flip, hashAt, WORDS } from './radius-sets.ts';
import { seededRandom } from './random.ts';

const GROUP = 200;
/** One file in a hundred shows something known. */
const KNOWN_ONE_IN = 100;

export async function matchStageFigures(
  url: string,
  words: Uint32Array,
  { quick, say }: BenchOptions,
): Promise<Measure[]> {
  const files = quick ? 2000 : 100_000;
  const db = await openServer({ url });
  const search = await openBitSearch(db, { threads: 2 });
  try {
    await addMedia(db, files);
    const measures: Measure[] = [];
    for (const [name, orientations, most] of [
      ['in the original orientation', ORIENTATIONS.slice(0, 1), 60],
      ['in all eight orientations', ORIENTATIONS, 300],
    ] as const) {
      say(`matching ${files} files ${name}`);
      await db.execute('truncate match');
      const { seconds, searching, matched } = await matchAll(db, search, words, files, orientations);
      const what = `matching ${files} files against ${words.length / WORDS} hashes ${name}`;
      measures.push(
        judged(what, seconds, 's', '<=', most),
        figure(`${what}: of it searching`, searching, 's'),
        judged(`${what}: known files found`, matched / (files / KNOWN_ONE_IN), '', '>=', 1),
      );
    }
    return measures;
  } finally {
    await search.close();
    await db.close();
  }
}

async function addMedia(db: Db, count: number): Promise<void> {
  await db.execute(
    `insert into media (media_id, sha256, sha1, md5, size_bytes, type) overriding system value
     select n, sha256(n::text::bytea), substr(sha256(n::text::bytea), 1, 20), substr(sha256(n::text::bytea), 1, 16), 1, 'image/jpeg'
       from generate_series(1, $1::bigint) n`,
    [count],
  );
  await db.execute('analyze media');
}

async function matchAll(
  db: Db,
  search: BitSearch,
  words: Uint32Array,
  files: number,
  orientations: readonly (typeof ORIENTATIONS)[number][],
) {
  const random = seededRandom(11);
  let searching = 0;
  let matched = 0;
  const started = performance.now();
  for (let first = 0; first < files; first += GROUP) {
    const examinations = Array.from({ length: GROUP }, (_, at) => {
      const hash = new Uint8Array(32);
      if ((first + at) % KNOWN_ONE_IN === 0) {
        hash.set(hashAt(words, random.integer(0, words.length / WORDS - 1)));
        flip(hash, 20, random);
      } else for (let byte = 0; byte < 32; byte += 1) hash[byte] = random.integer(0, 255);
      return pictureWith(hash);
    });
    const searchStarted = performance.now();
    const evidence = await findBitEvidence(search, examinations, await loadSetRules(db), orientations);
    searching += performance.now() - searchStarted;
    const mediaIds = Array.from({ length: GROUP }, (_, at) => first + at + 1);
    matched += await db.transaction(async (tx) => {
      const found = await findDigestMatches(tx, mediaIds);
      for (const [at, ofPicture] of evidence) {
        const mediaId = mediaIds[at];
        if (mediaId !== undefined) found.push(...ofPicture.map((one) => ({ ...one, mediaId })));
      }
      await holdSetsInForce(tx, found);
      await recordMatches(tx, { mode: 'exact' }, found);
      return new Set(found.map((one) => one.mediaId)).size;
    });
  }
  return { seconds: (performance.now() - started) / 1000, searching: searching / 1000, matched };
}

/** What a host says of a picture with this hash; turned ones are other random hashes, as they are of a real picture. */
function pictureWith(hash: Uint8Array): Examination {
  const hex = Buffer.from(hash).toString('hex');
  const dihedral = ORIENTATIONS.map((_, turn) => {
    const turned = Uint8Array.from(hash, (byte, at) => (turn === 0 ? byte : byte ^ ((at * 89 + turn * 151) & 0xff)));
    return Buffer.from(turned).toString('hex');
  });
  return {
    outcome: 'done',
    reason: null,
    type: 'image/jpeg',
    sizeBytes: 1,
    digests: null,
    trailingBytes: null,
    capture: null,
    picture: {
      widthPixels: 512,
      heightPixels: 512,
      mode: 'exact',
      decoder: 'none',
      reductionFactor: 1,
      frames: 1,
      pdq: [{ flavour: 'pdq-512', hex, quality: 100, dihedral }],
      blockhash: null,
    },
  };
}
