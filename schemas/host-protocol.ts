import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';
import { Embedding, EmbedPlan, GeometryResult, Keypoints } from './embedding.ts';
import { DecodeMode, Examination } from './fingerprint.ts';
import { NullableReason, Outcome } from './outcome.ts';

export { DEFAULT_ARCHIVE_BUDGET, DEFAULT_FILE_BUDGET } from './constants.ts';

/** What the engine may spend on one file; every default carries its reason in docs/operations.md. */
export const FileBudget = Closed({
  cpuTimeMs: Type.Integer({ minimum: 100 }),
  wallTimeMs: Type.Integer({ minimum: 100 }),
  memoryBytes: Type.Integer({ minimum: 64 * 1024 * 1024 }),
  sizeBytes: Type.Integer({ minimum: 1 }),
  pixels: Type.Integer({ minimum: 1 }),
  sidePixels: Type.Integer({ minimum: 1 }),
});
export type FileBudget = Static<typeof FileBudget>;

export const ArchiveBudget = Closed({
  entries: Type.Integer({ minimum: 1 }),
  entryBytes: Type.Integer({ minimum: 1 }),
  totalBytes: Type.Integer({ minimum: 1 }),
  depth: Type.Integer({ minimum: 0 }),
  wallTimeMs: Type.Integer({ minimum: 100 }),
  memoryBytes: Type.Integer({ minimum: 64 * 1024 * 1024 }),
});
export type ArchiveBudget = Static<typeof ArchiveBudget>;

/** A path crosses as base64 of its raw bytes: file names need not be UTF-8. */
export const PathBase64 = Type.String({ maxLength: 16_384, pattern: '^[A-Za-z0-9+/]*={0,2}$' });

/** 32 bytes in base64; see workers/read/scratch-cipher.ts. */
const ScratchKey = Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', maxLength: 44 });

/** Supervisor to picture host. */
export const ExamineTask = Closed({
  kind: Type.Literal('examine'),
  taskId: Count(),
  path: PathBase64,
  mode: DecodeMode,
  budget: FileBudget,
  /** With which the file is encrypted, as one of the scratch folder is; null for any other. */
  scratchKey: Nullable(ScratchKey),
});
export type ExamineTask = Static<typeof ExamineTask>;

/** Supervisor to unpack host: write the entries of one archive as numbered files into the scratch folder. */
export const UnpackTask = Closed({
  kind: Type.Literal('unpack'),
  taskId: Count(),
  path: PathBase64,
  scratchFolder: PathBase64,
  budget: ArchiveBudget,
  /** Entries before this one are passed over: they were handed on by a host that died since. */
  firstEntry: Count(),
  /** X25519 private key as PKCS #8 in base64, which opens sealed uploads; null where none is read. */
  unsealingKey: Nullable(Type.String({ maxLength: 200, pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
  /** Entries are encrypted with it; null: they are not. */
  scratchKey: Nullable(ScratchKey),
  /** The archive lies in the scratch folder itself, and is encrypted with that key. */
  isScratch: Type.Boolean(),
});
export type UnpackTask = Static<typeof UnpackTask>;

/** Supervisor to unpack host: the entry was taken on, so the host may write another one. Keeps the scratch folder small. */
export const AckTask = Closed({ kind: Type.Literal('ack'), taskId: Count(), index: Count() });
export type AckTask = Static<typeof AckTask>;

/** Supervisor to model host: what the models say of one file. */
export const EmbedTask = Closed({
  kind: Type.Literal('embed'),
  taskId: Count(),
  path: PathBase64,
  /** Of the content that was recorded; another one is refused, since what is said here is said of that media. */
  sha256: Hex(32),
  plan: EmbedPlan,
  budget: FileBudget,
  scratchKey: Nullable(ScratchKey),
});
export type EmbedTask = Static<typeof EmbedTask>;

/** More pairs than this are asked in several tasks. */
export const MOST_COMPARED = 32;

/** Supervisor to model host: whether the pictures of these keypoints show the same scene. The only way on which keypoints go back to a host. */
export const CompareTask = Closed({
  kind: Type.Literal('compare'),
  taskId: Count(),
  query: Keypoints,
  candidates: Type.Array(Keypoints, { minItems: 1, maxItems: MOST_COMPARED }),
});
export type CompareTask = Static<typeof CompareTask>;

export const HostTask = Type.Union([ExamineTask, UnpackTask, AckTask, EmbedTask, CompareTask]);
export type HostTask = Static<typeof HostTask>;

/** One entry of an archive; `scratchFile` is its file name in the scratch folder, or null when it was not written (the reason says why). */
export const ArchiveEntry = Closed({
  index: Count(),
  /** The name as stored, raw bytes. */
  name: PathBase64,
  scratchFile: Nullable(Type.String({ pattern: '^[0-9]{1,12}$' })),
  sizeBytes: Nullable(Count()),
  modifiedAt: Nullable(BoundedText(40)),
  outcome: Outcome,
  reason: NullableReason,
});
export type ArchiveEntry = Static<typeof ArchiveEntry>;

export const HOST_ROLES = ['picture', 'unpack', 'model'] as const;
export const HostRole = OneOf(HOST_ROLES);
export type HostRole = Static<typeof HostRole>;

/** Host to supervisor. Each one is validated on arrival; a host that says anything else is ended. */
export const HostMessage = Type.Union([
  Closed({ kind: Type.Literal('ready'), role: HostRole, decoders: Type.Array(BoundedText(80), { maxItems: 10 }) }),
  Closed({ kind: Type.Literal('started'), taskId: Count() }),
  Closed({ kind: Type.Literal('examined'), taskId: Count(), examination: Examination }),
  Closed({ kind: Type.Literal('embedded'), taskId: Count(), embedding: Embedding }),
  Closed({
    kind: Type.Literal('compared'),
    taskId: Count(),
    results: Type.Array(GeometryResult, { maxItems: MOST_COMPARED }),
  }),
  Closed({ kind: Type.Literal('entry'), taskId: Count(), entry: ArchiveEntry }),
  Closed({
    kind: Type.Literal('unpacked'),
    taskId: Count(),
    outcome: Outcome,
    reason: NullableReason,
    entries: Count(),
    totalBytes: Count(),
  }),
]);
export type HostMessage = Static<typeof HostMessage>;
