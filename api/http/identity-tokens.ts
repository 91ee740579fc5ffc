import { createRemoteJWKSet, decodeJwt, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { IdentityProvider } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';

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
const ANSWER_WITHIN_MS = 5_000;
/** Keys are asked for again after this, and at once for one that is not known, but not more often than the next. */
const KEYS_KEPT_MS = 60 * 60_000;
const KEYS_ASKED_AT_MOST_EVERY_MS = 30_000;

export interface ProvedSubject {
  readonly issuer: string;
  readonly subject: string;
}

/** Tokens of people, as OpenID Connect issuers of the configuration sign them. What roles somebody has is ours to say, never the token's. */
export class IdentityTokens {
  readonly #providers: ReadonlyMap<string, IdentityProvider>;
  readonly #cooldownMs: number;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  /** `cooldownMs`: keys that are not known are not asked for more often. */
  constructor(providers: readonly IdentityProvider[], cooldownMs = KEYS_ASKED_AT_MOST_EVERY_MS) {
    this.#cooldownMs = cooldownMs;
    this.#providers = new Map(providers.map((provider) => [provider.issuer, provider]));
  }

  /**
   * Who a token is of.
   * @throws HW_UNAUTHENTICATED, in the same words for whatever is wrong with it; HW_IDENTITY_PROVIDER where the issuer's keys cannot be had
   */
  async verify(token: string): Promise<ProvedSubject> {
    const provider = this.#providers.get(issuerOf(token));
    if (provider === undefined) throw refused();
    const { issuer, audience, requiredAcr, mostAgeMinutes } = provider;
    const keys = await this.#keysOf(provider);
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['sub', 'exp', 'iat'],
        maxTokenAge: mostAgeMinutes * 60,
      });
      if (requiredAcr !== null && payload['acr'] !== requiredAcr) throw refused();
      if (typeof payload.sub !== 'string' || payload.sub === '') throw refused();
      return { issuer, subject: payload.sub };
    } catch (error) {
      if (isAway(error)) throw away(issuer, error);
      throw refused();
    }
  }

  async #keysOf({ issuer }: IdentityProvider): Promise<JWTVerifyGetKey> {
    let keys = this.#keys.get(issuer);
    if (keys === undefined) {
      keys = discoverKeys(issuer, this.#cooldownMs);
      this.#keys.set(issuer, keys);
      // Asked for again by whoever comes next.
      keys.catch(() => this.#keys.delete(issuer));
    }
    try {
      return await keys;
    } catch (error) {
      throw away(issuer, error);
    }
  }
}

async function discoverKeys(issuer: string, cooldownDuration: number): Promise<JWTVerifyGetKey> {
  const described = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    redirect: 'error',
  });
  const description: unknown = await described.json();
  if (typeof description !== 'object' || description === null) throw new TypeError('expected a description');
  // Another issuer's description would bring another one's keys.
  if (!('issuer' in description) || description.issuer !== issuer) throw new TypeError('expected its own description');
  if (!('jwks_uri' in description) || typeof description.jwks_uri !== 'string')
    throw new TypeError('expected jwks_uri');
  return createRemoteJWKSet(new URL(description.jwks_uri), {
    timeoutDuration: ANSWER_WITHIN_MS,
    cooldownDuration,
    cacheMaxAge: KEYS_KEPT_MS,
  });
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return '';
  }
}

/** The keys could not be fetched: says nothing about the token. */
function isAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ERR_JWKS_TIMEOUT' || (error instanceof TypeError && error.message.includes('fetch'));
}

const away = (issuer: string, cause: unknown): HomewardError =>
  new HomewardError(
    'HW_IDENTITY_PROVIDER',
    `expected the keys of ${issuer}, received no answer; tell whoever runs it, or use a key or certificate meanwhile`,
    { cause },
  );

/** The same for all reasons: which of them it was helps only who forges. */
const refused = (): HomewardError =>
  new HomewardError(
    'HW_UNAUTHENTICATED',
    'expected a token in force of an issuer that this engine knows, received another one; sign in anew',
  );
