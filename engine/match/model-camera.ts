import { CaptureMetadata } from '../../schemas/fingerprint.ts';
import { normaliseSerial } from '../series/camera-serial.ts';
import { type Queryable, storableText, type Transaction } from '../store/db.ts';
import { integer, json, nullable, oneOf, row, text } from '../store/row-shape.ts';
import { zeroEventBound } from './likelihood.ts';
import { bestPerObject, type ModelEvidence } from './model-evidence.ts';

export const CAMERA_ALGORITHM = 'exif-serial/1';

/**
 * A convention, not a measurement: makers number their devices so that no two of a model agree, but what software writes in their place
 * and files made to look alike are not counted anywhere. Until more than some 3,000 devices were seen here, of which none shared
 * a number, one in a thousand is taken to.
 */
const RATE_WITHOUT_KNOWLEDGE = 1 / 1000;
/** No collection shows that a number is copied less often than this. */
const LEAST_RATE = 1e-4;

/** A device that a picture names: a body by make and model, a lens by its model. */
interface NamedDevice {
  readonly mediaId: number;
  readonly kind: 'body' | 'lens';
  readonly serial: string;
  readonly make: string;
  readonly model: string;
}

/** A device as it was seen, whoever's picture named it. */
export type SeenDevice = Omit<NamedDevice, 'mediaId'>;

/** The devices that these media name, as recordDevices writes them. */
export async function devicesOf(db: Queryable, mediaIds: readonly number[]): Promise<SeenDevice[]> {
  return (await namedDevices(db, mediaIds)).map(({ mediaId: _media, ...device }) => device);
}

/** A picture's serial number beside the same one of a known camera. */
export interface CameraHit {
  readonly mediaId: number;
  readonly seriesId: number;
  readonly cameraId: number;
  readonly kind: 'body' | 'lens';
  /** Devices of this kind seen in all material so far. */
  readonly devicesSeen: number;
  /** Of them, other makes or models with the same number. */
  readonly otherModels: number;
}

/** Remembers which devices these media name. Again changes nothing. */
export async function recordDevices(tx: Transaction, mediaIds: readonly number[]): Promise<number> {
  const devices = await namedDevices(tx, mediaIds);
  if (devices.length === 0) return 0;
  return await tx.execute(
    `insert into seen_device (kind, serial, make, model)
     select distinct kind, serial, make, model from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as d(kind, serial, make, model)
      order by kind, serial, make, model
     on conflict do nothing`,
    deviceColumns(devices).slice(1),
  );
}

/**
 * Known cameras whose body or lens serial number these media carry. Make and model alone find nothing; a body of another make or model
 * than the known one does not count, whatever its number.
 */
export async function findCameraHits(db: Queryable, mediaIds: readonly number[]): Promise<CameraHit[]> {
  const devices = await namedDevices(db, mediaIds);
  if (devices.length === 0) return [];
  const found = await db.read(
    row({
      mediaId: integer,
      kind: oneOf(['body', 'lens'] as const),
      make: text,
      model: text,
      cameraId: integer,
      seriesId: integer,
      knownMake: nullable(text),
      knownModel: nullable(text),
      devicesSeen: integer,
      otherModels: integer,
    }),
    `select d.media_id, d.kind, d.make, d.model, c.camera_id, c.series_id, c.make as known_make, c.model as known_model,
            (select count(*) from seen_device s where s.kind = d.kind) as devices_seen,
            (select count(*) from seen_device s
              where s.kind = d.kind and s.serial = d.serial and (s.make, s.model) <> (d.make, d.model)) as other_models
       from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) as d(media_id, kind, serial, make, model)
       join lateral (
         select * from camera where body_serial = d.serial and d.kind = 'body'
         union all
         select * from camera where lens_serial = d.serial and d.kind = 'lens'
       ) c on true
      order by d.media_id, c.camera_id, d.kind`,
    deviceColumns(devices),
  );
  return found
    .filter((one) => one.kind === 'lens' || (agrees(one.make, one.knownMake) && agrees(one.model, one.knownModel)))
    .map(({ mediaId, seriesId, cameraId, kind, devicesSeen, otherModels }) => ({
      mediaId,
      seriesId,
      cameraId,
      kind,
      devicesSeen,
      otherModels,
    }));
}

/**
 * Evidence that a media was taken with a known camera or lens. Its weight is 1 / rate, where rate is the upper bound of how many devices
 * share a number: 1/1000, or what as many devices as were seen can show, whichever is less, and 1/10,000 at least. A number that two
 * makes or models bear is a filler and weighs nothing.
 *
 * @param galleryCameras known cameras that were searched
 */
export function cameraEvidence(hits: readonly CameraHit[], galleryCameras: number): ModelEvidence[] {
  return bestPerObject(hits.map((hit) => evidenceOf(hit, galleryCameras)));
}

function evidenceOf(hit: CameraHit, galleryCameras: number): ModelEvidence {
  const { mediaId, seriesId, cameraId, kind, devicesSeen, otherModels } = hit;
  const rate =
    otherModels > 0 ? null : Math.max(LEAST_RATE, Math.min(RATE_WITHOUT_KNOWLEDGE, zeroEventBound(devicesSeen)));
  return {
    mediaId,
    method: 'camera',
    algorithm: CAMERA_ALGORITHM,
    distance: 0,
    threshold: 0,
    expectedFalseMatches: rate === null ? null : rate * galleryCameras,
    calibrated: rate !== null && rate * galleryCameras <= 1,
    borderline: false,
    log10LikelihoodRatio: rate === null ? 0 : -Math.log10(rate),
    gallerySize: galleryCameras,
    inliers: null,
    details: {
      scores: [],
      geometry: null,
      serial: { kind, devicesSeen, otherModels },
      falseMatchRateUpper95: rate,
    },
    faceId: null,
    knownFaceId: null,
    knownMediaId: null,
    seriesId,
    subjectId: null,
    placeId: null,
    cameraId,
    authority: null,
    necessity: null,
  };
}

async function namedDevices(db: Queryable, mediaIds: readonly number[]): Promise<NamedDevice[]> {
  const captures = await db.read(
    row({ mediaId: integer, capture: json(CaptureMetadata) }),
    `select distinct on (media_id) media_id, capture from fingerprint
      where media_id = any($1::bigint[]) and capture is not null
        and (capture->>'bodySerialNumber' is not null or capture->>'lensSerialNumber' is not null)
      order by media_id, created_at desc`,
    [mediaIds],
  );
  return captures.flatMap(({ mediaId, capture }): NamedDevice[] => {
    const body = normaliseSerial(capture.bodySerialNumber);
    const lens = normaliseSerial(capture.lensSerialNumber);
    const [make, model] = [plainName(capture.make), plainName(capture.model)];
    return [
      ...(body === null ? [] : [{ mediaId, kind: 'body' as const, serial: body, make, model }]),
      ...(lens === null
        ? []
        : [{ mediaId, kind: 'lens' as const, serial: lens, make: '', model: plainName(capture.lensModel) }]),
    ];
  });
}

function deviceColumns(devices: readonly NamedDevice[]) {
  return [
    devices.map((one) => one.mediaId),
    devices.map((one) => one.kind),
    devices.map((one) => one.serial),
    devices.map((one) => one.make),
    devices.map((one) => one.model),
  ];
}

/** Letters and digits in lower case: writers differ in blanks, case and hyphens. */
function plainName(name: string | null): string {
  return storableText(name ?? '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** Unless both are given and differ; `NIKON` and `NIKON CORPORATION` are one. */
function agrees(found: string, known: string | null): boolean {
  const other = plainName(known);
  return found === '' || other === '' || found.startsWith(other) || other.startsWith(found);
}
