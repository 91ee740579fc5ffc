import { Type } from 'typebox';
import { BoundedText, Closed, Nullable, OneOf, type Static } from './closed.ts';
import { ArchiveBudget, FileBudget } from './host-protocol.ts';
import { ModelProvider, PackId } from './model-pack.ts';

/** Part of addresses and of audit entries. */
export const EVIDENCE_ROOT_PATTERN = '^[a-z0-9][a-z0-9-]{0,59}$';

const Packs = Type.Array(PackId, { maxItems: 8 });

/** Which model packs are used, by id; a pack of an operator's own takes the place of a shipped one of its kind. */
export const ModelSettings = Closed({
  detector: PackId,
  /** Takes the detector's place where `thoroughFaces` is on: finds fewer of what is no face, and costs several times as much. */
  thoroughDetector: PackId,
  thoroughFaces: Type.Boolean(),
  landmarks: PackId,
  faceEmbeddings: Packs,
  copyEmbeddings: Packs,
  placeEmbeddings: Packs,
  /** Of the operator's own; they order the unseen list and never filter it. */
  classifiers: Packs,
  provider: ModelProvider,
});
export type ModelSettings = Static<typeof ModelSettings>;

/** What has been decided for one case, so that nobody has to say it with every scan of it. */
export const CasePolicy = Closed({
  /** As given by `--case`. */
  case: BoundedText(200),
  /** Faces are looked for under this; recorded with each search. Null: only where a scan says so itself. */
  faces: Nullable(Closed({ authority: BoundedText(200), necessity: BoundedText(1000) })),
  /** The models pass over what is known by its digest. */
  skipKnown: Type.Boolean(),
});
export type CasePolicy = Static<typeof CasePolicy>;

/** A folder whose contents may be handed in by its name: nobody over the API names a path of the machine. */
export const EvidenceRoot = Closed({
  name: Type.String({ pattern: EVIDENCE_ROOT_PATTERN, maxLength: 60 }),
  folder: BoundedText(4096),
});
export type EvidenceRoot = Static<typeof EvidenceRoot>;

/** Material that is handed in over the API. */
export const UploadSettings = Closed({
  /** Where it lies, sealed, until it was processed; never within the data folder, which hosts do not see. Null: beside the data folder. */
  folder: Nullable(BoundedText(4096)),
  /** Of one upload. */
  mostBytes: Type.Integer({ minimum: 1 }),
  /** Of all that an organisation has there at once. */
  mostBytesOfOrganisation: Type.Integer({ minimum: 1 }),
  /** Uploads of an organisation that are there at once. */
  mostOfOrganisation: Type.Integer({ minimum: 1 }),
  /** What nobody goes on with or submits for so long is removed. */
  staleAfterHours: Type.Integer({ minimum: 1, maximum: 8760 }),
  /** Keep it after it was processed, where the law asks for that. */
  keep: Type.Boolean(),
});
export type UploadSettings = Static<typeof UploadSettings>;

/** Files in PEM. */
export const TlsSettings = Closed({
  /** The server's certificate with those between it and its authority. */
  certificateFile: BoundedText(4096),
  /** Readable by its owner alone. */
  keyFile: BoundedText(4096),
  /** Certificates of the authorities whose clients may show one of theirs; null: keys only. */
  clientAuthorityFile: Nullable(BoundedText(4096)),
});
export type TlsSettings = Static<typeof TlsSettings>;

/** An OpenID Connect issuer whose tokens say who a person is. */
export const IdentityProvider = Closed({
  /** As its tokens name it; https, or a machine of one's own. */
  issuer: Type.String({ maxLength: 500, pattern: '^(https://|http://(127\\.0\\.0\\.1|localhost)(:|/|$))' }),
  /** What its tokens for this engine name as their audience. */
  audience: BoundedText(500),
  /** Authentication context that a token has to state, such as one of two factors; null: none. */
  requiredAcr: Nullable(BoundedText(200)),
  /** An older token is refused, whatever end it names. */
  mostAgeMinutes: Type.Integer({ minimum: 1, maximum: 1440 }),
});
export type IdentityProvider = Static<typeof IdentityProvider>;

/** Settings of one installation; `homeward config show` prints each with where it came from. */
export const Config = Closed({
  /** Folder of the embedded database. */
  dataFolder: BoundedText(4096),
  /** PostgreSQL to use in place of the embedded database; credentials in it are never printed. */
  databaseUrl: Nullable(BoundedText(2000)),
  /** Name of the unit that runs this engine, in every batch and audit entry. */
  organisation: BoundedText(200),
  /** Who acts; the operating-system user unless said otherwise. */
  actor: BoundedText(200),
  /** Folder for what archives hold while it is examined; emptied as soon as it was. */
  scratchFolder: BoundedText(4096),
  /** Child processes that open files, and threads in each. */
  hosts: Type.Integer({ minimum: 1, maximum: 256 }),
  threadsPerHost: Type.Integer({ minimum: 1, maximum: 64 }),
  /** required: refuse to work without a network-less sandbox. preferred: work, and say so in every report. */
  sandbox: OneOf(['required', 'preferred']),
  fileBudget: FileBudget,
  archiveBudget: ArchiveBudget,
  models: ModelSettings,
  /** A known record that hits more unrelated cases than this is suspended until a person resumes it; 0: never. */
  suspendAfterCases: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  cases: Type.Array(CasePolicy, { maxItems: 10_000 }),
  /** Folders below which material may be handed in over the API. */
  evidenceRoots: Type.Array(EvidenceRoot, { maxItems: 100 }),
  uploads: UploadSettings,
  /** What `homeward serve` speaks TLS with; null: plain HTTP, on this machine or behind a proxy. */
  tls: Nullable(TlsSettings),
  identityProviders: Type.Array(IdentityProvider, { maxItems: 20 }),
  /** Role address of the unit, told to partners that get yes or no; never a person's. */
  contact: Nullable(BoundedText(200)),
  /** Signing key of the audit; null: audit-key.pem in the data folder. */
  auditKeyFile: Nullable(BoundedText(4096)),
  /** Folder that gets a copy of each checkpoint of the audit, best one that leaves the machine; null: none. */
  auditDropFolder: Nullable(BoundedText(4096)),
});
export type Config = Static<typeof Config>;

export const CONFIG_ORIGINS = ['default', 'file', 'environment', 'commandLine'] as const;
export type ConfigOrigin = (typeof CONFIG_ORIGINS)[number];

/** What a configuration file may hold: any part of Config; unknown keys are refused. */
export const ConfigFile = Type.Object(
  {
    ...Type.Partial(Config).properties,
    fileBudget: Type.Optional(Type.Object(Type.Partial(FileBudget).properties, { additionalProperties: false })),
    archiveBudget: Type.Optional(Type.Object(Type.Partial(ArchiveBudget).properties, { additionalProperties: false })),
    models: Type.Optional(Type.Object(Type.Partial(ModelSettings).properties, { additionalProperties: false })),
    uploads: Type.Optional(Type.Object(Type.Partial(UploadSettings).properties, { additionalProperties: false })),
  },
  { additionalProperties: false },
);
export type ConfigFile = Static<typeof ConfigFile>;
