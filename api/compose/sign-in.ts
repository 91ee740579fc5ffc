import { once } from 'node:events';
import { createServer } from 'node:http';
import { decodeJwt } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type TokenEndpointResponse,
} from 'openid-client';
import type { IdentityProvider } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';

export interface SignIn {
  readonly provider: IdentityProvider;
  /** As the issuer knows this program: a public client with loopback redirects (RFC 8252), or with device codes (RFC 8628). */
  readonly clientId: string;
  /** With a code that is entered on another machine, for one without a browser. */
  readonly device: boolean;
  /** What a person has to open, with the code to enter there where there is one. */
  readonly ask: (url: string, code: string | null) => void;
  readonly signal: AbortSignal;
}

const DONE = 'You are signed in. This window can be closed.';
const REFUSED = 'You were not signed in. The terminal says more.';

/**
 * A token of a person for this engine, by OpenID Connect. Nothing of it is kept.
 * @throws HW_IDENTITY_PROVIDER where the issuer is away, refuses, or gives no token for our audience
 */
export async function signIn(asked: SignIn): Promise<string> {
  const { provider, clientId, device } = asked;
  try {
    const issuer = new URL(provider.issuer);
    // The configuration allows it for a machine of one's own alone.
    const execute = issuer.protocol === 'http:' ? [allowInsecureRequests] : [];
    const configuration = await discovery(issuer, clientId, undefined, None(), { execute });
    const tokens = device ? await byDevice(configuration, asked) : await byBrowser(configuration, asked);
    const { access_token: access, id_token: identity } = tokens;
    const token = [access, identity].find((one) => one !== undefined && isFor(one, provider.audience));
    if (token !== undefined) return token;
  } catch (error) {
    throw failed(provider.issuer, error);
  }
  throw new HomewardError(
    'HW_IDENTITY_PROVIDER',
    `expected a token for ${JSON.stringify(provider.audience)} from ${provider.issuer}, received one for somebody else; have its administrator add that audience to the client ${JSON.stringify(clientId)}`,
  );
}

function scopeOf({ requiredAcr }: IdentityProvider): Record<string, string> {
  return { scope: 'openid', ...(requiredAcr === null ? {} : { acr_values: requiredAcr }) };
}

async function byDevice(configuration: Configuration, asked: SignIn): Promise<TokenEndpointResponse> {
  const begun = await initiateDeviceAuthorization(configuration, scopeOf(asked.provider));
  asked.ask(begun.verification_uri_complete ?? begun.verification_uri, begun.user_code);
  return await pollDeviceAuthorizationGrant(configuration, begun, undefined, { signal: asked.signal });
}

/** The browser comes back to a port of this machine, once; what it brings is worth nothing without the verifier, which never left. */
async function byBrowser(configuration: Configuration, asked: SignIn): Promise<TokenEndpointResponse> {
  const verifier = randomPKCECodeVerifier();
  const [state, nonce] = [randomState(), randomNonce()];
  const server = createServer();
  server.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening', { signal: asked.signal });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('expected a port of this machine');
    const back = `http://127.0.0.1:${address.port}/`;
    const url = buildAuthorizationUrl(configuration, {
      ...scopeOf(asked.provider),
      redirect_uri: back,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    asked.ask(url.href, null);
    for (;;) {
      const [request, response] = await once(server, 'request', { signal: asked.signal });
      const came = URL.parse(String(request.url), back) ?? new URL(back);
      const say = async (status: number, text: string): Promise<void> =>
        await new Promise((resolve) => {
          if (response.destroyed || response.closed) return resolve();
          response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' });
          // Sent before the server goes; a browser that has gone is told nothing.
          response.on('close', resolve);
          response.end(text);
        });
      // Browsers ask for an icon too, and anybody on this machine may ask for anything: whoever has not the state is nobody.
      if (came.searchParams.get('state') !== state) {
        await say(404, '');
        continue;
      }
      try {
        const tokens = await authorizationCodeGrant(configuration, came, {
          pkceCodeVerifier: verifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        });
        await say(200, DONE);
        return tokens;
      } catch (error) {
        await say(400, REFUSED);
        throw error;
      }
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function isFor(token: string, audience: string): boolean {
  try {
    const { aud } = decodeJwt(token);
    return aud === audience || (Array.isArray(aud) && aud.includes(audience));
  } catch {
    // An access token may be of any form; one that is no JWT is for somebody else.
    return false;
  }
}

function failed(issuer: string, error: unknown): HomewardError {
  if (error instanceof HomewardError) return error;
  const said =
    error instanceof Error && 'error' in error && typeof error.error === 'string' ? error.error : 'no whole answer';
  return new HomewardError(
    'HW_IDENTITY_PROVIDER',
    `expected ${issuer} to sign somebody in, received ${said}; see that it answers from this machine and knows the client`,
    { cause: error },
  );
}
