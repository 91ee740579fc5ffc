import { type GeometryResult, MOST_KEYPOINTS } from '../../schemas/embedding.ts';
import type { PackCalibration } from '../../schemas/model-pack.ts';
import { falseMatchRateBound, weigh } from './likelihood.ts';
import {
  bestPerObject,
  type ModelEvidence,
  type Similarities,
  scoredEvidence,
  type VectorMethod,
} from './model-evidence.ts';

/** A picture beside one that a series knows. */
interface PictureHit {
  readonly mediaId: number;
  readonly knownMediaId: number;
  readonly seriesId: number;
  readonly similarities: Similarities;
}

/** A picture or a part of it beside a known one or a part of that. */
export interface CopyHit extends PictureHit {
  /** The spaces of the two vectors; the method's own is that of the whole, and stands for all pairs of parts. */
  readonly compared: { readonly own: string; readonly known: string };
}

/** A picture beside one of a known place, with what the geometric check of the two found. */
export interface PlaceHit extends PictureHit {
  readonly placeId: number;
  /** Null where one of the two has no keypoints: then there is no evidence. */
  readonly geometry: GeometryResult | null;
}

/** How a place is told. */
export interface PlaceMethod extends VectorMethod {
  /** Of the geometric check, with fundamental inliers / 400 as the score; weighs more than the vectors where it is there. */
  readonly geometryCalibration: PackCalibration | null;
}

/** Evidence that a media is an edited copy of a known picture. */
export function copyEvidence(hits: readonly CopyHit[], method: VectorMethod, galleryPictures: number): ModelEvidence[] {
  return bestPerObject(
    hits.flatMap((hit) => {
      const scored =
        hit.mediaId === hit.knownMediaId ? null : scoredEvidence(method, hit.similarities, galleryPictures);
      if (scored === null) return [];
      const { own, known } = hit.compared;
      const scores = scored.details.scores.map((score) => ({ ...score, space: own, knownSpace: known }));
      const details = { ...scored.details, scores };
      return [{ ...scored, details, ...pictureColumns(hit), method: 'copy' as const, inliers: null, placeId: null }];
    }),
  );
}

/**
 * At least 15 inliers of a fundamental matrix or 10 of a homography: measured, as is that 10 of a fundamental matrix find more wrong
 * places than right ones.
 */
export function passesGeometry({ fundamentalInliers, homographyInliers }: GeometryResult): boolean {
  return fundamentalInliers >= 15 || homographyInliers >= 10;
}

/** Evidence that a media shows a known place: alike as a whole, and the same things at places that fit one scene. */
export function placeEvidence(
  hits: readonly PlaceHit[],
  method: PlaceMethod,
  galleryPictures: number,
): ModelEvidence[] {
  return bestPerObject(
    hits.flatMap((hit) => {
      const { geometry } = hit;
      if (hit.mediaId === hit.knownMediaId || geometry === null || !passesGeometry(geometry)) return [];
      const scored = scoredEvidence(method, hit.similarities, galleryPictures);
      if (scored === null) return [];
      const details = { ...scored.details, geometry };
      const found = { ...scored, details, ...pictureColumns(hit), method: 'place' as const, placeId: hit.placeId };
      const inliers = Math.max(geometry.fundamentalInliers, geometry.homographyInliers);
      const { geometryCalibration } = method;
      if (geometryCalibration === null) return [{ ...found, inliers }];
      const score = geometry.fundamentalInliers / MOST_KEYPOINTS;
      const falseMatchRateUpper95 = falseMatchRateBound(geometryCalibration, score);
      return [
        {
          ...found,
          inliers,
          ...weigh(geometryCalibration, score, galleryPictures),
          details: { ...details, falseMatchRateUpper95 },
        },
      ];
    }),
  );
}

function pictureColumns(hit: PictureHit) {
  return {
    mediaId: hit.mediaId,
    knownMediaId: hit.knownMediaId,
    seriesId: hit.seriesId,
    faceId: null,
    knownFaceId: null,
    subjectId: null,
    cameraId: null,
    authority: null,
    necessity: null,
  };
}
