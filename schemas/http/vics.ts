import { Type } from 'typebox';
import { Uuid } from '../access.ts';
import { BoundedText, Closed, Count, type Static } from '../closed.ts';

/**
 * Requests and answers in the shape that lab tools hand in with: VICS 2.0, compatible and not certified. What is asked for here is what is
 * used; tools send more, and it is left unread. The shape is that of public clients of such servers (GriffeyePS), see docs/formats.md.
 */
const Text = (most: number) => Type.Optional(Type.Union([Type.String({ maxLength: most }), Type.Null()]));
const one = <T extends Parameters<typeof Type.Array>[0]>(schema: T) =>
  Type.Object({ value: Type.Array(schema, { minItems: 1, maxItems: 1 }) });

export const VicsCases = one(Type.Object({ CaseID: Text(100), CaseNumber: Text(1000) }));
export type VicsCases = Static<typeof VicsCases>;

const MEDIA = {
  RelativeFilePath: Text(32_768),
  MediaFiles: Type.Optional(
    Type.Union([
      Type.Array(Type.Object({ FileName: Text(32_768), FilePath: Text(32_768) }), { maxItems: 100_000 }),
      Type.Null(),
    ]),
  ),
};
const Media = Type.Object({ ...MEDIA, MD5: Text(64) });
export type VicsMedia = Static<typeof Media>;
/** In its envelope or bare. */
export const VicsMediaRequest = Type.Union([
  one(Media),
  Type.Object({ ...MEDIA, MD5: Type.String({ maxLength: 64 }) }),
]);
export type VicsMediaRequest = Static<typeof VicsMediaRequest>;

/** Upper or lower case, as tools have it. */
const Md5 = Type.String({ pattern: '^[0-9A-Fa-f]{32}$', maxLength: 32 });
const CaseIdentifier = Type.String({ pattern: '^\\{?[0-9A-Fa-f-]{36}\\}?$', maxLength: 38 });

export const VicsFileQuery = Type.Object({ caseIdentifier: CaseIdentifier, md5: Md5 });
export const VicsChunkQuery = Type.Object({
  caseIdentifier: CaseIdentifier,
  md5: Md5,
  offset: Type.Integer({ minimum: 0 }),
});
export const VicsFinalizeQuery = Type.Object({
  caseIdentifier: CaseIdentifier,
  md5: Md5,
  getResponse: Type.Optional(Type.String({ maxLength: 5 })),
});
export const VicsCaseQuery = Type.Object({ caseIdentifier: CaseIdentifier });
/** Beside the tool's own: what it does not say, for whoever can have it send more. */
export const VicsFinalizeCaseQuery = Type.Object({
  caseIdentifier: CaseIdentifier,
  exhibit: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  urgent: Type.Optional(Type.Boolean()),
  models: Type.Optional(Type.Boolean()),
});
export const VicsCasesQuery = Type.Object({
  include: Type.Optional(Type.String({ maxLength: 200 })),
  filter: Type.Optional(Type.String({ maxLength: 1000 })),
});

export const VicsServer = Closed({ serverVersion: Closed({ major: Count(), minor: Count(), build: Count() }) });
export const VicsCaseList = Type.Array(Closed({ name: BoundedText(200), identifier: Uuid }), { maxItems: 1000 });
export const VicsCase = Closed({ caseIdentifier: Uuid });
export const VicsFile = Closed({ receivedBytes: Count() });
export const VicsSubmitted = Closed({ submissionId: Uuid, files: Count() });
export const VicsCleared = Closed({ files: Count() });
/** RFC 6749, 5.1. */
export const VicsToken = Closed({
  access_token: BoundedText(200),
  token_type: Type.Literal('bearer'),
  expires_in: Count(),
  refresh_token: BoundedText(200),
});
