import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { HTTP_LIMITS } from '../api/http/app.ts';
import { HttpUnderTest } from '../api/http/test-http-kit.ts';
import { addSubject } from '../engine/access/credentials.ts';
import { addPrincipal } from '../engine/access/principals.ts';
import { FIRST, PURPOSE } from '../engine/access/test-access-kit.ts';
import { type RunningCli, startCli, TestFolder } from './cli-kit.ts';
import { TestIdentityProvider } from './identity-provider-kit.ts';
import { openTestDb } from './pglite-template.ts';
import { until } from './until.ts';

const ACR = 'urn:two-factors';
const CLIENT = 'homeward-terminal';

describe('homeward sign-in', () => {
  const provider = new TestIdentityProvider();
  let folder: TestFolder;
  let http: HttpUnderTest;
  before(async () => {
    folder = await TestFolder.make();
    await provider.start();
    await provider.addKey('first');
    const settings = { issuer: provider.issuer, audience: 'homeward', requiredAcr: ACR, mostAgeMinutes: 60 };
    writeFileSync(folder.at('homeward.json'), JSON.stringify({ identityProviders: [settings] }));
    http = await HttpUnderTest.open(openTestDb, HTTP_LIMITS, null, [settings]);
    const { organisationId } = await http.caller();
    const person = { organisationId, kind: 'person', label: 'A. Examiner', roles: ['lab'] } as const;
    const principalId = await addPrincipal(http.db, person, FIRST);
    await addSubject(http.db, { principalId, issuer: provider.issuer, subject: 'person-1' }, FIRST);
  });
  after(async () => {
    await http[Symbol.asyncDispose]();
    await provider.stop();
    await folder[Symbol.asyncDispose]();
  });
  const register = (audience = 'homeward'): void => {
    provider.registered = { clientId: CLIENT, subject: 'person-1', acr: ACR, audience };
  };
  const begin = (...args: string[]): RunningCli =>
    startCli([
      'sign-in',
      '--client',
      CLIENT,
      '--config',
      folder.at('homeward.json'),
      '--data',
      folder.at('data'),
      ...args,
    ]);
  /** The address that a person is asked to open, once there is one. */
  const askedOf = async (cli: RunningCli): Promise<string> => {
    const asked = (): string | undefined => /Open (\S+)/.exec(cli.stderrSoFar())?.[1];
    await until(() => asked() !== undefined, 'an address to open');
    return asked() ?? '';
  };
  const status = async (token: string): Promise<number> =>
    (
      await http.call('GET', '/cases', undefined, {
        authorization: `Bearer ${token}`,
        'homeward-purpose': PURPOSE,
        'homeward-justification': 'a%20list%20of%20my%20cases',
      })
    ).status;

  it('S5: brings a person in who signs in with a browser, by a token that the API takes', async () => {
    register();
    const cli = begin();
    const url = new URL(await askedOf(cli));
    assert.deepEqual(
      [
        url.searchParams.get('code_challenge_method'),
        url.searchParams.get('acr_values'),
        url.searchParams.get('scope'),
      ],
      ['S256', ACR, 'openid'],
    );
    const back = new URL(url.searchParams.get('redirect_uri') ?? '');
    assert.equal(back.hostname, '127.0.0.1');
    // Somebody else on this machine, who brings a code of his own.
    assert.equal((await fetch(`${back.href}?code=stolen&state=guessed`)).status, 404);
    assert.equal((await fetch(`${back.origin}//`)).status, 404);
    const shown = await fetch(url);
    assert.equal(shown.headers.get('content-type'), 'text/plain');
    assert.match(await shown.text(), /signed in/);
    const { code, stdout } = await cli.finished;
    assert.equal(code, 0);
    assert.equal(await status(stdout.trim()), 200);
  });

  it('takes a code that is entered on another machine', async () => {
    register();
    const cli = begin('--device');
    const url = await askedOf(cli);
    assert.match(cli.stderrSoFar(), /enter WDJB-MJHT/);
    await fetch(url);
    const { code, stdout } = await cli.finished;
    assert.equal(code, 0);
    assert.equal(await status(stdout.trim()), 200);
  });

  it('says who refused, and gives no token that is for somebody else', async () => {
    register();
    provider.denies = true;
    const denied = begin();
    await fetch(await askedOf(denied));
    provider.denies = false;
    const { code, stderr, stdout } = await denied.finished;
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /HW_IDENTITY_PROVIDER.*access_denied/);
    register('another engine');
    const other = begin();
    await fetch(await askedOf(other));
    const ended = await other.finished;
    assert.deepEqual([ended.code, ended.stdout], [3, '']);
    assert.match(ended.stderr, /expected a token for "homeward"/);
  });

  it('asks which of several, and says that there is none', async () => {
    const { code, stderr } = await begin('--issuer', 'https://elsewhere.example').finished;
    assert.equal(code, 2);
    assert.match(stderr, /^HW_USAGE.*identityProviders/);
  });
});
