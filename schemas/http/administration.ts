import { type TProperties, Type } from 'typebox';
import {
  AgreedField,
  AgreementTerms,
  Modality,
  OrganisationId,
  PURGES,
  Purge,
  PurposeCode,
  ROLES,
  Role,
  StandingReason,
  Tier,
  Tlp,
  Uuid,
} from '../access.ts';
import { BoundedText, Closed, Count, Nullable, OneOf } from '../closed.ts';

const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', maxLength: 10 });
const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const MOST_LISTED = 10_000;
const list = <P extends TProperties>(properties: P) => Type.Array(Closed(properties), { maxItems: MOST_LISTED });

export const OrganisationRequest = Closed({
  organisationId: OrganisationId,
  name: Text(200),
  contactReference: Nullable(Text(200)),
});
export const OrganisationAdded = Closed({ batches: Count(), hashSets: Count(), series: Count() });
export const OrganisationList = Closed({
  organisations: list({
    organisationId: OrganisationId,
    name: BoundedText(200),
    home: Type.Boolean(),
    contactReference: Nullable(BoundedText(200)),
    principals: Count(),
    addedAt: BoundedText(30),
  }),
});

const { agreementId: _id, ...Terms } = AgreementTerms.properties;
const Purges = Type.Array(Purge, { maxItems: PURGES.length, uniqueItems: true });
export const AgreementRequest = Closed({
  ...Terms,
  organisationId: OrganisationId,
  purges: Purges,
  firstDay: Day,
  lastDay: Day,
});
export const AgreementAdded = Closed({ agreementId: Uuid });
export const EvaluationRequest = Closed({ criteria: Text(500), findings: Text(4000), reviewOn: Day });
export const RevocationRequest = Closed({ reason: Text(1000) });
export const Done = Closed({ done: Type.Literal(true) });
export const AgreementList = Closed({
  agreements: list({
    agreementId: Uuid,
    organisationId: OrganisationId,
    tier: Tier,
    purposes: Type.Array(PurposeCode, { maxItems: 100 }),
    modalities: Type.Array(Modality, { maxItems: 10 }),
    highestTlp: Tlp,
    fields: Type.Array(AgreedField, { maxItems: 10 }),
    purges: Purges,
    purgedAt: Nullable(BoundedText(30)),
    dailyQuota: Count(),
    perMinute: Count(),
    firstDay: Day,
    lastDay: Day,
    state: OneOf(['proposed', 'evaluated', 'active', 'over', 'revoked']),
    reviewOn: Nullable(Day),
    revokedAt: Nullable(BoundedText(30)),
  }),
});

export const PurposeRequest = Closed({
  code: PurposeCode,
  description: Text(500),
  reviewedBy: Text(200),
  reviewedOn: Day,
});
export const PurposeList = Closed({
  purposes: list({
    code: PurposeCode,
    description: BoundedText(500),
    reviewedOn: Day,
    retiredAt: Nullable(BoundedText(30)),
  }),
});

export const KeyId = Type.String({ pattern: '^[0-9a-f]{16}$', maxLength: 16 });
const Roles = Type.Array(Role, { minItems: 1, maxItems: ROLES.length });
export const KeyRequest = Closed({
  organisationId: OrganisationId,
  /** A desk or a machine, as the audit names it; it is added where it is not there yet. */
  label: Text(200),
  roles: Roles,
  validDays: Type.Integer({ minimum: 1, maximum: 400 }),
  /** For a lab tool that cannot state one with each request; good for what is below /vics alone. */
  standingReason: Type.Optional(StandingReason),
});
/** Told once: of the key there is a hash alone afterwards. */
export const KeyAdded = Closed({ keyId: KeyId, key: BoundedText(200), expiresAt: BoundedText(30) });
export const KeyList = Closed({
  keys: list({
    keyId: KeyId,
    organisationId: OrganisationId,
    label: BoundedText(200),
    roles: Roles,
    standingPurpose: Nullable(PurposeCode),
    createdAt: BoundedText(30),
    expiresAt: BoundedText(30),
    revokedAt: Nullable(BoundedText(30)),
  }),
});
