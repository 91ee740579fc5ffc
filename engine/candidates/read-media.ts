import { passesQuality } from '../match/policy.ts';
import { normaliseSerial } from '../series/camera-serial.ts';
import type { Db, SqlParam } from '../store/db.ts';
import { bytes, integer, nullable, type RowOf, row, text } from '../store/row-shape.ts';
import { LATEST_FINGERPRINT, UNMATCHED } from '../unseen/unmatched.ts';
import type { NamedDevice } from './camera-pairs.ts';
import { parseCaptureTime } from './capture-time.ts';
import type { CandidateMedia } from './evidence-graph.ts';

const PAGE = 5_000;

const MEDIA = row({
  mediaId: integer,
  widthPixels: integer,
  heightPixels: integer,
  pdq: nullable(bytes),
  quality: nullable(integer),
  capturedAt: nullable(text),
  make: nullable(text),
  model: nullable(text),
  bodySerial: nullable(text),
  lensModel: nullable(text),
  lensSerial: nullable(text),
});
type MediaRow = RowOf<typeof MEDIA>;

const COLUMNS = `
select m.media_id, f.width_pixels, f.height_pixels, substring(f.pdq_512_dihedral from 1 for 32) as pdq, f.pdq_512_quality as quality,
       f.capture->>'capturedAt' as captured_at, f.capture->>'make' as make, f.capture->>'model' as model,
       f.capture->>'bodySerialNumber' as body_serial, f.capture->>'lensModel' as lens_model, f.capture->>'lensSerialNumber' as lens_serial`;

const PAGE_SQL = `${COLUMNS} from media m ${LATEST_FINGERPRINT}
 where m.media_id > $3 and ${UNMATCHED} order by m.media_id limit ${PAGE}`;
const NAMED_SQL = `${COLUMNS} from unnest($3::bigint[]) as m(media_id) ${LATEST_FINGERPRINT} where ${UNMATCHED} order by m.media_id`;

/** What a decision says of a media, beside what its file says. */
export interface Standings {
  /** Proposals that were dismissed with it in them, by media. */
  readonly dismissedWith: ReadonlyMap<number, readonly number[]>;
  /** The proposal that a person has shaped and that it is in, by media. */
  readonly shapedBy: ReadonlyMap<number, number>;
}

export interface ReadMedia {
  readonly media: CandidateMedia[];
  readonly devices: NamedDevice[];
}

/**
 * Unmatched media of a scope and, whatever the scope, those of `also`.
 * @param scope parameters for UNMATCHED
 */
export async function readUnmatched(
  db: Db,
  scope: readonly [SqlParam, SqlParam],
  also: readonly number[],
  standings: Standings,
): Promise<ReadMedia> {
  const rows = new Map<number, MediaRow>();
  for (let after = 0; ; ) {
    const page = await db.read(MEDIA, PAGE_SQL, [...scope, after]);
    for (const one of page) rows.set(one.mediaId, one);
    after = page.at(-1)?.mediaId ?? after;
    if (page.length < PAGE) break;
  }
  const missing = also.filter((mediaId) => !rows.has(mediaId));
  for (let at = 0; at < missing.length; at += PAGE) {
    for (const one of await db.read(MEDIA, NAMED_SQL, [null, null, missing.slice(at, at + PAGE)]))
      rows.set(one.mediaId, one);
  }
  const sorted = [...rows.values()].sort((a, b) => a.mediaId - b.mediaId);
  return {
    media: sorted.map((one) => mediaOf(one, standings)),
    devices: sorted.flatMap(devicesOf),
  };
}

function mediaOf(one: MediaRow, { dismissedWith, shapedBy }: Standings): CandidateMedia {
  const usable = one.pdq !== null && passesQuality('pdq-512', one.quality);
  return {
    mediaId: one.mediaId,
    capturedAt: parseCaptureTime(one.capturedAt),
    exclusions: (dismissedWith.get(one.mediaId) ?? []).map((candidateId) => `dismissed ${candidateId}`),
    shapedBy: shapedBy.get(one.mediaId) ?? null,
    equalHash: usable ? (one.pdq?.toString('hex') ?? null) : null,
    pixels: one.widthPixels * one.heightPixels,
  };
}

/** A serial number means something only together with who gave it. */
function devicesOf(one: MediaRow): NamedDevice[] {
  const capturedAt = parseCaptureTime(one.capturedAt);
  const body = normaliseSerial(one.bodySerial);
  const lens = normaliseSerial(one.lensSerial);
  const name = (words: string | null): string => (words ?? '').toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  return [
    ...(body === null ? [] : [`body ${name(one.make)} ${name(one.model)} ${body}`]),
    ...(lens === null ? [] : [`lens ${name(one.lensModel)} ${lens}`]),
  ].map((device) => ({ mediaId: one.mediaId, device, capturedAt }));
}
