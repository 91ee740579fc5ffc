import { Type } from 'typebox';
import { Uuid } from '../access.ts';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from '../closed.ts';

export const UPLOAD_STATES = ['receiving', 'complete', 'submitted', 'gone'] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

export const UploadRequest = Closed({
  /** Given back in results as the place of what it holds. */
  name: Type.String({ minLength: 1, maxLength: 1000 }),
  sizeBytes: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  /** Of the whole content; compared when all of it is there. */
  sha256: Hex(32),
  modifiedAt: Type.Optional(
    Type.String({ maxLength: 30, pattern: '^[1-9]\\d{3}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' }),
  ),
});
export type UploadRequest = Static<typeof UploadRequest>;

export const UploadAnswer = Closed({
  uploadId: Uuid,
  caseId: Uuid,
  name: BoundedText(1000),
  /** Of a file of a lab tool, what is there so far; it has no SHA-256 before all of it is. */
  sizeBytes: Count(),
  sha256: Nullable(Hex(32)),
  /** Where the next byte goes; what is before it is kept, whatever ends. */
  offsetBytes: Type.Integer({ minimum: 0 }),
  state: OneOf(UPLOAD_STATES),
  submissionId: Nullable(Uuid),
  createdAt: BoundedText(30),
});
export type UploadAnswer = Static<typeof UploadAnswer>;
