import { Type } from 'typebox';
import { BoundedText, Closed, Nullable, OneOf, type Static } from './closed.ts';
import { ArchiveBudget, FileBudget } from './host-protocol.ts';

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
  },
  { additionalProperties: false },
);
export type ConfigFile = Static<typeof ConfigFile>;
