import { decodeJwt, jwtVerify } from 'jose';
import { unauthenticated } from '../../engine/access/access-error.ts';
import type { IdentityProvider } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { IssuerKeys } from './issuer-keys.ts';

/** By a private key of the issuer alone: with `none` or a shared secret anybody could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Between the clocks of the issuer and of this machine. */
const CLOCK_TOLERANCE_SECONDS = 30;

export interface ProvedSubject {
  readonly issuer: string;
  readonly subject: string;
}

interface Issuer {
  readonly provider: IdentityProvider;
  readonly keys: IssuerKeys;
}

/** Tokens of people, as OpenID Connect issuers of the configuration sign them. What roles somebody has is ours to say, never the token's. */
export class IdentityTokens {
  readonly #issuers: ReadonlyMap<string, Issuer>;

  /** `cooldownMs`: an issuer is not asked for keys more often. */
  constructor(providers: readonly IdentityProvider[], cooldownMs?: number) {
    this.#issuers = new Map(
      providers.map((provider) => [provider.issuer, { provider, keys: new IssuerKeys(provider, cooldownMs) }]),
    );
  }

  /**
   * Who a token is of.
   * @throws HW_UNAUTHENTICATED, in the same words for whatever is wrong with it; HW_IDENTITY_PROVIDER where the issuer's keys cannot be had
   */
  async verify(token: string): Promise<ProvedSubject> {
    const named = this.#issuers.get(issuerOf(token));
    if (named === undefined) throw unauthenticated();
    const { issuer, audience, requiredAcr, mostAgeMinutes } = named.provider;
    try {
      const { payload } = await jwtVerify(token, named.keys.keyOf, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['sub', 'exp', 'iat'],
        maxTokenAge: mostAgeMinutes * 60,
      });
      if (requiredAcr !== null && payload['acr'] !== requiredAcr) throw unauthenticated();
      if (typeof payload.sub !== 'string' || payload.sub === '') throw unauthenticated();
      return { issuer, subject: payload.sub };
    } catch (error) {
      if (error instanceof HomewardError && error.code === 'HW_IDENTITY_PROVIDER') throw error;
      throw unauthenticated();
    }
  }
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return '';
  }
}
