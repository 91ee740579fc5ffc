import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';

/** What a person is told by it and its program by its tokens. */
export interface Registered {
  readonly clientId: string;
  readonly subject: string;
  readonly acr: string;
  /** Of its access tokens; its identity tokens are for the client. */
  readonly audience: string;
}

/**
 * For tests and for trying things out on one machine: an identity provider as a unit runs one, with its description, its keys, sign-in by
 * browser (code with PKCE) and by device code. It asks nobody for a password: who comes is signed in.
 */
export class TestIdentityProvider {
  readonly #server: Server;
  readonly #keys: object[] = [];
  readonly #codes = new Map<string, { readonly challenge: string; readonly nonce: string; readonly back: string }>();
  /** Device codes, and whether somebody has entered the code of the person by now. */
  readonly #devices = new Map<string, boolean>();
  #signing: CryptoKey | null = null;
  registered: Registered | null = null;
  issuer = '';
  /** What it says instead of its keys: as a proxy does before one that is away. */
  trouble: { readonly status: number; readonly text: string } | null = null;
  /** It lets nobody in by a browser. */
  denies = false;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    assert.ok(typeof address === 'object' && address !== null);
    this.issuer = `http://127.0.0.1:${address.port}`;
  }

  /** The last one signs what it gives out itself. */
  async addKey(kid: string): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    this.#keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
    this.#signing = privateKey;
    return privateKey;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? '/', this.issuer);
    const say = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const form = request.method === 'POST' ? new URLSearchParams(await textOf(request)) : new URLSearchParams();
    switch (at.pathname) {
      case '/jwks':
        if (this.trouble === null) return say(200, { keys: this.#keys });
        response.writeHead(this.trouble.status).end(this.trouble.text);
        return;
      case '/authorize': {
        const asked = at.searchParams;
        const back = new URL(asked.get('redirect_uri') ?? '');
        const state = asked.get('state') ?? '';
        const code = randomUUID();
        this.#codes.set(code, {
          challenge: asked.get('code_challenge') ?? '',
          nonce: asked.get('nonce') ?? '',
          back: back.href,
        });
        back.search = String(new URLSearchParams(this.denies ? { error: 'access_denied', state } : { code, state }));
        response.writeHead(302, { location: back.href }).end();
        return;
      }
      case '/device': {
        const device = randomUUID();
        this.#devices.set(device, false);
        const uri = `${this.issuer}/enter`;
        return say(200, {
          device_code: device,
          user_code: 'WDJB-MJHT',
          verification_uri: uri,
          expires_in: 60,
          interval: 1,
        });
      }
      case '/enter':
        for (const device of this.#devices.keys()) this.#devices.set(device, true);
        return say(200, {});
      case '/token':
        return await this.#token(form, say);
      default:
        return say(200, {
          issuer: this.issuer,
          jwks_uri: `${this.issuer}/jwks`,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          device_authorization_endpoint: `${this.issuer}/device`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
          code_challenge_methods_supported: ['S256'],
        });
    }
  }

  async #token(form: URLSearchParams, say: (status: number, body: object) => void): Promise<void> {
    const { registered } = this;
    if (registered === null || form.get('client_id') !== registered.clientId)
      return say(401, { error: 'invalid_client' });
    const device = form.get('device_code');
    if (device !== null && this.#devices.get(device) === false) return say(400, { error: 'authorization_pending' });
    const code = form.get('code') ?? '';
    const begun = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (device === null && (begun?.challenge !== challenge || form.get('redirect_uri') !== begun.back))
      return say(400, { error: 'invalid_grant' });
    const { subject, acr, audience, clientId } = registered;
    say(200, {
      token_type: 'Bearer',
      expires_in: 300,
      access_token: await this.#signed({ sub: subject, acr, aud: audience }),
      id_token: await this.#signed({ sub: subject, acr, aud: clientId, nonce: begun?.nonce }),
    });
  }

  async #signed(claims: Readonly<Record<string, unknown>>): Promise<string> {
    assert.ok(this.#signing !== null, 'expected a key');
    return await new SignJWT({ iss: this.issuer, ...claims })
      .setProtectedHeader({
        alg: 'ES256',
        kid: String(Object.entries(this.#keys.at(-1) ?? {}).find(([name]) => name === 'kid')?.[1]),
      })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(this.#signing);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}
