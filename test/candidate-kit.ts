import { createHash, randomBytes } from 'node:crypto';
import type { Db } from '../engine/store/db.ts';
import { recordItems } from '../engine/store/queries/record-items.ts';
import type { CaptureMetadata, Examination } from '../schemas/fingerprint.ts';
import { examinedPicture, openTestBatch } from './batch-kit.ts';

/** For tests of what is made of media that match nothing known: media as a scan records them, of which no file is there. */

export interface TestPicture {
  /** Takes the place of the content: two pictures of one name are one media. */
  readonly name: string;
  /** 64 hexadecimal digits; chance where it is not given. */
  readonly pdqHex?: string;
  readonly capture?: Partial<CaptureMetadata>;
  readonly widthPixels?: number;
  readonly heightPixels?: number;
}

const NOTHING: CaptureMetadata = {
  make: null,
  model: null,
  bodySerialNumber: null,
  lensModel: null,
  lensSerialNumber: null,
  software: null,
  capturedAt: null,
  gps: null,
  exifOrientation: null,
  thumbnailMismatch: null,
  syntheticTraces: [],
};

/** Records pictures in a batch, by default in a new one of the case `case`. @returns their media numbers, in the order given */
export async function recordPictures(
  db: Db,
  pictures: readonly TestPicture[],
  batchId: string | null = null,
): Promise<number[]> {
  const batch = batchId ?? (await openTestBatch(db));
  return await db.transaction(async (tx) => {
    const { mediaIds } = await recordItems(
      tx,
      batch,
      { mode: 'exact', searchedChangeId: 0 },
      pictures.map((picture) => ({
        pathKey: digest('sha256', `${batch} ${picture.name}`),
        path: Buffer.from(`/evidence/${picture.name}.jpg`),
        containerPathKey: null,
        modifiedAt: null,
        examination: examinationOf(picture),
      })),
    );
    return mediaIds.flatMap((mediaId) => (mediaId === null ? [] : [mediaId]));
  });
}

function examinationOf({ name, pdqHex, capture, widthPixels, heightPixels }: TestPicture): Examination {
  const hex = pdqHex ?? randomBytes(32).toString('hex');
  const dihedral = [hex, ...Array.from({ length: 7 }, () => randomBytes(32).toString('hex'))];
  const examined = examinedPicture({ pdq: [{ flavour: 'pdq-512', hex, quality: 100, dihedral }], blockhash: null });
  const picture = examined.picture;
  return {
    ...examined,
    picture: picture && {
      ...picture,
      widthPixels: widthPixels ?? picture.widthPixels,
      heightPixels: heightPixels ?? picture.heightPixels,
    },
    sizeBytes: 1000,
    digests: {
      md5: digest('md5', name).toString('hex'),
      sha1: digest('sha1', name).toString('hex'),
      sha256: digest('sha256', name).toString('hex'),
    },
    trailingBytes: 0,
    capture: capture === undefined ? null : { ...NOTHING, ...capture },
  };
}

const digest = (algorithm: string, text: string): Buffer => createHash(algorithm).update(text).digest();
