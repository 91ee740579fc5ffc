import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openTestDb } from '../../test/pglite-template.ts';
import { assertProblem, type Caller, HttpUnderTest } from './test-http-kit.ts';

describe('what supervisors look at', () => {
  let http: HttpUnderTest;
  let supervisor: Caller;
  before(async () => {
    http = await HttpUnderTest.open(openTestDb);
    supervisor = await http.caller({ of: await http.home() }, ['supervisor']);
  });
  after(async () => await http[Symbol.asyncDispose]());

  const drawn = async ({ organisationId, principalId }: Caller): Promise<string> => {
    await http.db.execute('insert into look_up_review (organisation_id, principal_id, reference) values ($1, $2, $3)', [
      organisationId,
      principalId,
      `look-up of ${principalId}`,
    ]);
    const { body } = await supervisor.call('GET', '/reviews');
    assert.ok(Array.isArray(body['reviews']));
    return String(body['reviews'].find(({ reference }) => reference.includes(principalId)).reviewId);
  };
  const decide = async (reviewId: string) =>
    await supervisor.call('POST', `/reviews/${reviewId}/decision`, { finding: 'inOrder' });

  it('S6: are look-ups of others that were drawn, decided once', async () => {
    const reviewId = await drawn(await http.caller());
    assert.equal((await decide(reviewId)).status, 200);
    assertProblem(await decide(reviewId), 404, 'HW_NOT_FOUND');
    assertProblem(await decide(await drawn(supervisor)), 409, 'HW_ACCESS_RULE');
  });

  it('S6: are callers who feel their way, until somebody has looked into it', async () => {
    const { organisationId } = await http.caller();
    await http.db.execute(
      'insert into probe_alert (organisation_id, cluster_id, probes, raised_at) values ($1, 1, 32, now())',
      [organisationId],
    );
    const { body } = await supervisor.call('GET', '/probe-alerts');
    const [alert] = Array.isArray(body['alerts']) ? body['alerts'] : [];
    assert.equal(alert?.organisationId, organisationId);
    const acknowledge = `/probe-alerts/${alert.alertId}/acknowledgement`;
    assert.equal((await supervisor.call('POST', acknowledge)).status, 200);
    assertProblem(await supervisor.call('POST', acknowledge), 404, 'HW_NOT_FOUND');
    assert.deepEqual((await supervisor.call('GET', '/probe-alerts')).body, { alerts: [] });
  });

  it('S5: consent is given and taken back for the own organisation alone', async () => {
    const [owner, recipient] = [await http.caller({ tier: 'embedded' }, ['supervisor']), await http.caller()];
    const consents = async () =>
      await http.db.query(
        'select owner_organisation_id as owner, withdrawn_at is null as given from derivation_consent where recipient_organisation_id = $1',
        [recipient.organisationId],
      );
    const say = async (given: boolean, to = recipient.organisationId) =>
      await owner.call('POST', '/consents', { recipient: to, given });
    assert.equal((await say(true)).status, 200);
    assert.deepEqual(await consents(), [{ owner: owner.organisationId, given: true }]);
    assert.equal((await say(false)).status, 200);
    assert.deepEqual(await consents(), [{ owner: owner.organisationId, given: false }]);
    assertProblem(await say(true, owner.organisationId), 400, 'HW_REQUEST_INVALID');
    assertProblem(await say(true, 'nobody'), 404, 'HW_ACCESS_NOT_FOUND');
  });
});
