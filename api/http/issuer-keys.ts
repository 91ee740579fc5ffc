import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import type { IdentityProvider } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';

const ANSWER_WITHIN_MS = 5_000;
/** Keys are asked for again after this, and at once for one that is not known. */
const KEYS_RENEWED_EVERY_MS = 60 * 60_000;
/** An issuer is not asked more often: neither for keys that are not known, nor while it is away. */
const KEYS_ASKED_AT_MOST_EVERY_MS = 30_000;
/** What jose says of a token whose key is not among those of its issuer; whatever else goes wrong there is the issuer's trouble. */
const TROUBLE_OF_TOKENS: ReadonlySet<unknown> = new Set([
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWS_INVALID',
]);

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/**
 * The keys that one issuer signs with, as its own description names them. One that is away signs nothing new, so its last keys are good for
 * as long as a token that it signed before may be old.
 */
export class IssuerKeys {
  readonly #provider: IdentityProvider;
  readonly #cooldownMs: number;
  #remote: Promise<RemoteKeys> | null = null;
  #renewAtMs = 0;

  constructor(provider: IdentityProvider, cooldownMs = KEYS_ASKED_AT_MOST_EVERY_MS) {
    this.#provider = provider;
    this.#cooldownMs = cooldownMs;
  }

  /** The key of a token. @throws HW_IDENTITY_PROVIDER where keys cannot be had, and what jose says where they are had and it is not among them */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    try {
      const remote = await this.#found();
      await this.#renew(remote);
      return await remote(header, token);
    } catch (error) {
      if (error instanceof Error && 'code' in error && TROUBLE_OF_TOKENS.has(error.code)) throw error;
      throw new HomewardError(
        'HW_IDENTITY_PROVIDER',
        `expected the keys of ${this.#provider.issuer}, received none; tell whoever runs it, or use a key or certificate meanwhile`,
        { cause: error },
      );
    }
  };

  async #found(): Promise<RemoteKeys> {
    if (this.#remote === null) {
      const remote = this.#discover();
      this.#remote = remote;
      this.#renewAtMs = performance.now() + KEYS_RENEWED_EVERY_MS;
      // Asked for again by whoever comes next.
      remote.catch(() => {
        this.#remote = null;
      });
    }
    return await this.#remote;
  }

  /** Before the request goes on: a key that an issuer withdrew is good no longer than it is away. */
  async #renew(remote: RemoteKeys): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.#renewAtMs) return;
    this.#renewAtMs = nowMs + this.#cooldownMs;
    try {
      await remote.reload();
      this.#renewAtMs = performance.now() + KEYS_RENEWED_EVERY_MS;
    } catch {
      // The last ones are good for a while yet, and it is asked again.
    }
  }

  async #discover(): Promise<RemoteKeys> {
    const { issuer, mostAgeMinutes } = this.#provider;
    const described = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      redirect: 'error',
    });
    const description: unknown = await described.json();
    if (typeof description !== 'object' || description === null) throw new TypeError('expected a description');
    // Another issuer's description would bring another one's keys.
    if (!('issuer' in description) || description.issuer !== issuer)
      throw new TypeError('expected its own description');
    if (!('jwks_uri' in description) || typeof description.jwks_uri !== 'string')
      throw new TypeError('expected jwks_uri');
    return createRemoteJWKSet(new URL(description.jwks_uri), {
      timeoutDuration: ANSWER_WITHIN_MS,
      cooldownDuration: this.#cooldownMs,
      cacheMaxAge: KEYS_RENEWED_EVERY_MS + mostAgeMinutes * 60_000,
    });
  }
}
