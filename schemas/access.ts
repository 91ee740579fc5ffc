import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';

/** What a principal may be. Several at once, but who administers decides nothing in cases, and who audits does nothing else. */
export const ROLES = ['specialist', 'lab', 'partner', 'supervisor', 'auditor', 'administrator'] as const;
export const Role = OneOf(ROLES);
export type Role = Static<typeof Role>;

/** How far an organisation is let in, the furthest first. */
export const TIERS = ['embedded', 'accredited', 'associated'] as const;
export const Tier = OneOf(TIERS);
export type Tier = Static<typeof Tier>;

/** What may be compared under an agreement. */
export const MODALITIES = ['digest', 'perceptual', 'face', 'place'] as const;
export const Modality = OneOf(MODALITIES);
export type Modality = Static<typeof Modality>;

/** Traffic Light Protocol 2.0 (FIRST), the freest first. */
export const TLP_LEVELS = ['CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'] as const;
export const Tlp = OneOf(TLP_LEVELS);
export type Tlp = Static<typeof Tlp>;

/** Fields that an answer holds only where the agreement names them. */
export const AGREED_FIELDS = ['distance', 'perceptualHash', 'category', 'seriesName'] as const;
export const AgreedField = OneOf(AGREED_FIELDS);
export type AgreedField = Static<typeof AgreedField>;

export const PURPOSE_PATTERN = '^[a-z][a-z0-9-]{1,39}$';
/** A code of the reviewed table of purposes; free text is no purpose. */
export const PurposeCode = Type.String({ pattern: PURPOSE_PATTERN, maxLength: 40 });
/** Short and plain, since it stands in the settings of a transaction and in file names. */
export const ORGANISATION_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$';
export const OrganisationId = Type.String({ pattern: ORGANISATION_PATTERN, maxLength: 63 });
export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
/** What is no UUID names nothing, and PostgreSQL refuses to compare it with one. */
export const isUuid = (text: string): boolean => new RegExp(UUID_PATTERN).test(text);
export const Uuid = Type.String({ pattern: UUID_PATTERN, maxLength: 36 });

/** What goes when an agreement ends: the partner's hash sets; the batches it submitted, with all that was made of them. */
export const PURGES = ['sets', 'material'] as const;
export const Purge = OneOf(PURGES);
export type Purge = Static<typeof Purge>;

/** What an agreement in force lets an organisation do. The organisation that runs the engine needs none. */
export const AgreementTerms = Closed({
  agreementId: Uuid,
  tier: Tier,
  purposes: Type.Array(PurposeCode, { maxItems: 100 }),
  modalities: Type.Array(Modality, { maxItems: MODALITIES.length }),
  highestTlp: Tlp,
  fields: Type.Array(AgreedField, { maxItems: AGREED_FIELDS.length }),
  /** Look-ups a day of the whole organisation, and of one principal a minute. */
  dailyQuota: Count(),
  perMinute: Count(),
});
export type AgreementTerms = Static<typeof AgreementTerms>;

/** Why a tool hands in, whenever it does. */
export const StandingReason = Closed({
  purpose: PurposeCode,
  justification: Type.String({ minLength: 10, maxLength: 2000 }),
});
export type StandingReason = Static<typeof StandingReason>;

export const PRINCIPAL_KINDS = ['person', 'key', 'certificate', 'administrator'] as const;

/** Who asks: authenticated, and under what. */
export const Member = Closed({
  principalId: Uuid,
  kind: OneOf(PRINCIPAL_KINDS),
  /** As the audit names it. */
  label: BoundedText(200),
  organisationId: OrganisationId,
  roles: Type.Array(Role, { maxItems: ROLES.length }),
  /** Null for the organisation that runs the engine. */
  agreement: Nullable(AgreementTerms),
  /** Of the key of a lab tool, which cannot state it with each request. */
  standingReason: Nullable(StandingReason),
});
export type Member = Static<typeof Member>;
