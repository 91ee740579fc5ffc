import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';
import { Orientation, PdqHash } from './fingerprint.ts';
import { SandboxState } from './report.ts';

export const VALIDATION_SCHEMA_VERSION = '1.0';

/** notApplicable: it could not be tried on this machine; the reason says why. It is never counted as passed. */
export const CASE_RESULTS = ['passed', 'failed', 'notApplicable'] as const;
export const CaseResult = OneOf(CASE_RESULTS);
export type CaseResult = Static<typeof CaseResult>;

export const ValidationCase = Closed({
  id: BoundedText(100),
  assertion: BoundedText(300),
  expected: BoundedText(500),
  received: BoundedText(500),
  result: CaseResult,
  /** Why it could not be tried; null otherwise. */
  reason: Nullable(BoundedText(500)),
  durationMs: Count(),
});
export type ValidationCase = Static<typeof ValidationCase>;

export const ValidationRequirement = Closed({
  id: BoundedText(50),
  /** Ids of docs/assurance.md. */
  goals: Type.Array(BoundedText(10), { maxItems: 10 }),
  requirement: BoundedText(300),
  /** failed when one case failed; notApplicable when none could be tried. */
  result: CaseResult,
  cases: Type.Array(ValidationCase, { maxItems: 1000 }),
});
export type ValidationRequirement = Static<typeof ValidationRequirement>;

/** What `homeward validate` writes: requirement, assertion, case, result, on one machine at one time. */
export const ValidationReport = Closed({
  schemaVersion: Type.Literal(VALIDATION_SCHEMA_VERSION),
  engineVersion: BoundedText(50),
  pipelineVersion: BoundedText(50),
  runtime: BoundedText(200),
  machine: BoundedText(500),
  operator: BoundedText(200),
  organisation: BoundedText(200),
  decoders: Type.Array(BoundedText(80), { maxItems: 10 }),
  sandbox: SandboxState,
  /** ISO 8601 in UTC. */
  startedAt: BoundedText(40),
  finishedAt: BoundedText(40),
  verdict: OneOf(['passed', 'failed']),
  counts: Closed({ passed: Count(), failed: Count(), notApplicable: Count() }),
  requirements: Type.Array(ValidationRequirement, { maxItems: 100 }),
  /** What this validation does not show. */
  limits: Type.Array(BoundedText(500), { maxItems: 50 }),
});
export type ValidationReport = Static<typeof ValidationReport>;

/** What a drawn picture is for. */
export const DRAWN_ROLES = ['kernel', 'format', 'scene', 'variant', 'flat', 'heavy', 'overPixels', 'overSide'] as const;

/** One picture that the drawing process left in its folder, with what is known of it from how it was made. */
export const DrawnPicture = Closed({
  /** Its name in the folder. */
  file: Type.String({ pattern: '^[a-z0-9-]{1,60}\\.[a-z]{2,5}$' }),
  role: OneOf(DRAWN_ROLES),
  /** Number of the scene it shows; variants of one scene share it. */
  scene: Count(10_000),
  /** How it was written or changed, such as `JPEG quality 60`. */
  made: BoundedText(80),
  /** How a variant lies in relation to its scene; null where that is of no account. */
  turned: Nullable(Orientation),
  /** Both flavours by the plain reference over the pixels it was drawn from; null where they are not compared. */
  reference: Nullable(Type.Array(PdqHash, { minItems: 2, maxItems: 2 })),
});
export type DrawnPicture = Static<typeof DrawnPicture>;
export const DrawnPictures = Type.Array(DrawnPicture, { maxItems: 1000 });
