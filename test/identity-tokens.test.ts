import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { base64url, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { HTTP_LIMITS } from '../api/http/app.ts';
import { IdentityTokens } from '../api/http/identity-tokens.ts';
import { type Caller, HttpUnderTest } from '../api/http/test-http-kit.ts';
import { addSubject, revokeSubject } from '../engine/access/credentials.ts';
import { addPrincipal } from '../engine/access/principals.ts';
import { FIRST, isCode, PURPOSE, refusedAfterMs } from '../engine/access/test-access-kit.ts';
import { HomewardError } from '../schemas/error.ts';
import { TestIdentityProvider } from './identity-provider-kit.ts';
import { openTestDb } from './pglite-template.ts';

const AUDIENCE = 'homeward';
const ACR = 'urn:two-factors';

describe('people who sign in with an identity provider', () => {
  const provider = new TestIdentityProvider();
  let http: HttpUnderTest;
  let lab: Caller;
  let key: CryptoKey;
  before(async () => {
    await provider.start();
    key = await provider.addKey('first');
    const settings = { issuer: provider.issuer, audience: AUDIENCE, requiredAcr: ACR, mostAgeMinutes: 60 };
    http = await HttpUnderTest.open(openTestDb, HTTP_LIMITS, null, [settings]);
    lab = await http.caller();
    const { organisationId } = lab;
    const principalId = await addPrincipal(
      http.db,
      { organisationId, kind: 'person', label: 'A. Examiner', roles: ['lab'] },
      FIRST,
    );
    await addSubject(http.db, { principalId, issuer: provider.issuer, subject: 'person-1' }, FIRST);
  });
  after(async () => {
    await http[Symbol.asyncDispose]();
    await provider.stop();
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const claims = (changed: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
    iss: provider.issuer,
    aud: AUDIENCE,
    sub: 'person-1',
    acr: ACR,
    iat: now(),
    exp: now() + 300,
    ...changed,
  });
  const signed = async (changed: Readonly<Record<string, unknown>> = {}, by = key, kid = 'first'): Promise<string> =>
    await new SignJWT(claims(changed)).setProtectedHeader({ alg: 'ES256', kid }).sign(by);
  const ask = async (token: string): Promise<{ readonly status: number; readonly text: string }> =>
    await http.call('GET', '/cases', undefined, {
      authorization: `Bearer ${token}`,
      'homeward-purpose': PURPOSE,
      'homeward-justification': 'a%20list%20of%20my%20cases',
    });

  it('S5: are let in by a token of theirs, with the roles that an administrator gave and no others', async () => {
    assert.equal((await ask(await signed())).status, 200);
    const forged = await http.call('GET', '/organisations', undefined, {
      authorization: `Bearer ${await signed({ roles: ['administrator'] })}`,
      'homeward-purpose': PURPOSE,
      'homeward-justification': 'a%20list%20of%20organisations',
    });
    assert.equal(forged.body['code'], 'HW_FORBIDDEN');
  });

  it('S5: are not let in by a token that is forged, of another, over or too old, all in the same words', async () => {
    const { publicKey, privateKey: own } = await generateKeyPair('ES256', { extractable: true });
    const good = await signed();
    const [head = '', payload = '', signature = ''] = good.split('.');
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    const tokens = [
      new UnsecuredJWT(claims()).encode(),
      await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret),
      await signed({}, own),
      await signed({}, own, 'unknown'),
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: 'first', jwk: await exportJWK(publicKey) })
        .sign(own),
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: 'x', jku: `${provider.issuer}/other` })
        .sign(own),
      await signed({ iss: 'https://elsewhere.example' }),
      await signed({ iss: `${provider.issuer}/` }),
      await signed({ aud: 'another' }),
      await signed({ aud: undefined }),
      await signed({ exp: now() - 60 }),
      await signed({ exp: undefined }),
      await signed({ nbf: now() + 120 }),
      await signed({ iat: now() - 2 * 3600, exp: now() + 3600 }),
      await signed({ iat: now() + 120 }),
      await signed({ iat: undefined }),
      await signed({ sub: undefined }),
      await signed({ sub: '' }),
      await signed({ acr: 'one-factor' }),
      await signed({ acr: undefined }),
      `${head}.${base64url.encode(JSON.stringify(claims({ sub: 'person-2' })))}.${signature}`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${good}x`,
      'nonsense',
      await signed({ sub: 'person-2' }),
    ];
    const told = new Set<string>();
    for (const token of tokens) {
      const { status, text } = await ask(token);
      assert.equal(status, 401, `${token} ${text}`);
      told.add(text.replaceAll(/"[0-9a-f]{8}-[0-9a-f-]{27}"/g, ''));
    }
    assert.equal(told.size, 1, [...told].join('\n'));
  });

  it('are known by a key that the provider changed to meanwhile', async () => {
    const settings = { issuer: provider.issuer, audience: AUDIENCE, requiredAcr: null, mostAgeMinutes: 60 };
    const tokens = new IdentityTokens([settings], 0);
    assert.equal((await tokens.verify(await signed())).subject, 'person-1');
    const next = await provider.addKey('second');
    assert.equal((await tokens.verify(await signed({}, next, 'second'))).subject, 'person-1');
  });

  it('S5: are let in no more within a second once their login is revoked', async () => {
    assert.equal((await ask(await signed())).status, 200);
    await revokeSubject(http.db, { issuer: provider.issuer, subject: 'person-1' }, FIRST);
    const waitedMs = await refusedAfterMs(
      async () => {
        const { status } = await ask(await signed());
        if (status !== 200) throw new HomewardError('HW_UNAUTHENTICATED', String(status));
      },
      'HW_UNAUTHENTICATED',
      1500,
    );
    assert.ok(waitedMs < 1000, `${waitedMs} ms`);
  });
});

describe('an identity provider that is away', () => {
  it('lets nobody in by its tokens, and says that it is away', async () => {
    const provider = new TestIdentityProvider();
    await provider.start();
    const key = await provider.addKey('first');
    const settings = { issuer: provider.issuer, audience: AUDIENCE, requiredAcr: null, mostAgeMinutes: 60 };
    await provider.stop();
    await using http = await HttpUnderTest.open(openTestDb, HTTP_LIMITS, null, [settings]);
    const token = await new SignJWT({ iss: settings.issuer, aud: AUDIENCE, sub: 'x' })
      .setProtectedHeader({ alg: 'ES256', kid: 'first' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key);
    const answer = await http.call('GET', '/cases', undefined, { authorization: `Bearer ${token}` });
    assert.deepEqual([answer.status, answer.body['code']], [503, 'HW_IDENTITY_PROVIDER']);
  });

  it('is no trouble of the token that is presented while a proxy or a fault answers in its place', async () => {
    const provider = new TestIdentityProvider();
    await provider.start();
    try {
      const key = await provider.addKey('first');
      const settings = { issuer: provider.issuer, audience: AUDIENCE, requiredAcr: null, mostAgeMinutes: 60 };
      const token = await new SignJWT({ iss: settings.issuer, aud: AUDIENCE, sub: 'x' })
        .setProtectedHeader({ alg: 'ES256', kid: 'first' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(key);
      const tokens = new IdentityTokens([settings], 0);
      for (const trouble of [
        { status: 503, text: 'try again later' },
        { status: 200, text: '<html>maintenance</html>' },
        { status: 200, text: '{}' },
      ]) {
        provider.trouble = trouble;
        await assert.rejects(tokens.verify(token), isCode('HW_IDENTITY_PROVIDER'), trouble.text);
      }
      provider.trouble = null;
      assert.equal((await tokens.verify(token)).subject, 'x');
      // With the keys it had, while those of before it went away are young.
      provider.trouble = { status: 503, text: '' };
      assert.equal((await tokens.verify(token)).subject, 'x');
    } finally {
      await provider.stop();
    }
  });
});
