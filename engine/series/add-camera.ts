import { Type } from 'typebox';
import { HomewardError } from '../../schemas/error.ts';
import type { SeriesChanged } from '../../schemas/series.ts';
import { type Db, type Queryable, storableText } from '../store/db.ts';
import { integer, json, row, text } from '../store/row-shape.ts';
import { adding } from './add.ts';
import { normaliseSerial } from './camera-serial.ts';
import type { ChangedBy } from './change.ts';
import type { SeriesName } from './find-series.ts';
import { findMedia } from './known-media.ts';
import { notFound } from './not-found.ts';
import { checkReference } from './references.ts';

/** Make, model and serial numbers as a file or a person has them; serial numbers are normalised before they are stored. */
export interface CameraFacts {
  readonly make: string | null;
  readonly model: string | null;
  readonly bodySerial: string | null;
  readonly lensSerial: string | null;
}

/**
 * Adds a camera to a series: by what is told of it, or by what the file of a scanned media says (its SHA-256 in hexadecimal).
 * @throws HomewardError HW_SERIES_CAMERA without a serial number that means anything, HW_SERIES_EXISTS, HW_SERIES_PART_NOT_FOUND,
 *   HW_SERIES_REFERENCE and those of seriesToChange
 */
export async function addCamera(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  camera: { readonly reference: string } & (CameraFacts | { readonly fromSha256: string }),
): Promise<SeriesChanged> {
  return await adding(db, by, asked, 'add camera', async (draft, seriesId) => {
    checkReference('camera', camera.reference);
    const facts = 'fromSha256' in camera ? await cameraOfMedia(draft.tx, camera.fromSha256) : camera;
    const bodySerial = normaliseSerial(facts.bodySerial);
    const lensSerial = normaliseSerial(facts.lensSerial);
    if (bodySerial === null && lensSerial === null) {
      throw new HomewardError(
        'HW_SERIES_CAMERA',
        'expected a body or lens serial number for a camera, received none that means anything (fillers such as 0000 or N/A, and fewer than four characters, do not); look at another picture of it',
      );
    }
    const [there] = await draft.tx.read(
      row({ reference: text }),
      `select reference from camera
        where series_id = $1 and (reference = $2 or (body_serial is not distinct from $3 and lens_serial is not distinct from $4
                                                     and lower(coalesce(make, '')) = lower($5)))
        limit 1`,
      [seriesId, camera.reference, bodySerial, lensSerial, facts.make ?? ''],
    );
    if (there !== undefined) {
      throw new HomewardError(
        'HW_SERIES_EXISTS',
        `expected a camera that the series does not have yet, received the reference or the serial numbers of ${there.reference}; it is there already`,
      );
    }
    const cameraId = await draft.insert('camera', {
      series_id: seriesId,
      reference: camera.reference,
      make: bounded(facts.make),
      model: bounded(facts.model),
      body_serial: bodySerial,
      lens_serial: lensSerial,
    });
    return { partId: cameraId, created: true };
  });
}

/** Longest make and model that a camera has room for. */
const LONGEST = 200;

function bounded(value: string | null): string | null {
  const trimmed = value === null ? '' : storableText(value).trim().slice(0, LONGEST);
  return trimmed === '' ? null : trimmed;
}

const FileText = Type.Optional(Type.Union([Type.String(), Type.Null()]));
/** The part of a stored capture that is looked at here. */
const Capture = Type.Object({
  make: FileText,
  model: FileText,
  bodySerialNumber: FileText,
  lensSerialNumber: FileText,
});

/** What the file of a media says of its camera, as it was read last. */
async function cameraOfMedia(db: Queryable, sha256: string): Promise<CameraFacts> {
  const [mediaId] = await findMedia(db, [sha256]);
  const [found] = await db.read(
    row({ mediaId: integer, capture: json(Capture) }),
    `select media_id, capture from fingerprint
      where media_id = $1 and capture is not null order by created_at desc, pipeline_version desc, mode limit 1`,
    [mediaId ?? null],
  );
  if (found === undefined)
    throw notFound('a media whose file says what it was taken with', [sha256], 'give the serial number itself');
  const { capture } = found;
  return {
    make: capture.make ?? null,
    model: capture.model ?? null,
    bodySerial: capture.bodySerialNumber ?? null,
    lensSerial: capture.lensSerialNumber ?? null,
  };
}
