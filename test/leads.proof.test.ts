import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { picturesInText } from '../api/report/test-canaries.ts';
import { listAudit } from '../engine/audit/list.ts';
import {
  addHashMatch,
  addMaterial,
  addSeries,
  decided,
  evidenceOf,
  found,
  type KnownSeries,
  leadOf,
  type Material,
} from '../engine/leads/test-lead-kit.ts';
import { type Finished, runCli, TestFolder, withData } from './cli-kit.ts';

describe('homeward leads and explain', { timeout: 600_000 }, () => {
  let folder: TestFolder;
  let material: Material;
  let series: KnownSeries;
  let leadId: number;
  let ids: { m: string; v: string };
  let setName: string;
  const SECRET_PATH = '/evidence/holiday with kim/\u001b[31mred.jpg';
  const homeward = async (...args: string[]): Promise<Finished> => await runCli([...args, '--data', folder.at('data')]);
  const outputs: string[] = [];
  const as = async (who: string, ...args: string[]): Promise<Finished> => {
    const run = await homeward('leads', ...args, '--as', who);
    outputs.push(run.stdout, run.stderr);
    return run;
  };

  before(async () => {
    folder = await TestFolder.make();
    await withData(folder.at('data'), async (db) => {
      [material, series] = [await addMaterial(db, SECRET_PATH), await addSeries(db)];
      await addHashMatch(db, material.mediaId, { method: 'pdq', seriesId: series.seriesId });
      await db.execute(
        `insert into known_bits (record_id, set_id, algorithm, bits) select record_id, set_id, 'pdq', repeat('10', 128)::bit(256) from match`,
      );
      await found(db, evidenceOf('face', material, series));
      leadId = (await leadOf(db, material.mediaId, series.seriesId))?.leadId ?? assert.fail('no lead');
      const [m] = await db.query<{ match_id: number }>('select match_id from match');
      const [v] = await db.query<{ match_id: number }>('select match_id from model_match');
      const [set] = await db.query<{ name: string }>('select name from hash_set');
      setName = set?.name ?? assert.fail('no set');
      ids = { m: `m${m?.match_id}`, v: `v${v?.match_id}` };
    });
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('lists a lead with its reasons, masked, adults only, and no probability', async () => {
    const { code, stdout, stderr } = await as('First', 'list');
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      new RegExp(
        `^Lead ${leadId}: series [0-9a-f]{6} from Project, weight 10\\^4\\.6, open; case case exhibit exhibit`,
      ),
    );
    assert.match(stdout, new RegExp(`${ids.v}: A face .* Not counted\\.`));
    assert.match(stdout, /Adults only: no public test covers children/);
    // A masked name may begin with the number at the end of the real one.
    assert.doesNotMatch(stdout, new RegExp(`${series.name}\\b`));
    assert.doesNotMatch(stdout, /probab|\d ?%/);
  });

  it('keeps the first verdict from the second person, takes two to confirm, and shows then', async () => {
    await withData(folder.at('data'), async (db) => {
      await decided(db, leadId, 'First', { basis: 'metadata', note: 'same serial' });
    });
    const hidden = await as('Second', 'show', String(leadId), '--reveal');
    assert.match(hidden.stdout, /kept from you until you have decided/);
    assert.doesNotMatch(hidden.stdout, /confirmed|metadata|same serial|First/);
    assert.match(hidden.stdout, /holiday with kim\/\u241b\[31mred\.jpg/);
    const second = await as('Second', 'decide', String(leadId), '--verdict', 'confirmed', '--basis', 'viewed');
    assert.match(second.stdout, /is confirmed\./);
    const shown = await as('Second', 'show', String(leadId));
    assert.match(shown.stdout, /First: confirmed \(metadata\)/);
    assert.doesNotMatch(shown.stdout, /kim/);
  });

  it('exports for the viewer and takes dispositions back, each row with its outcome', async () => {
    const exported = await as('First', 'export', '--state', 'confirmed', '--out', folder.at('leads.json'));
    assert.equal(exported.code, 0, exported.stderr);
    const file: { leads: { leadId: number; sha256: string; items: { pathHex: string }[] }[] } = JSON.parse(
      readFileSync(folder.at('leads.json'), 'utf8'),
    );
    assert.equal(Buffer.from(file.leads[0]?.items[0]?.pathHex ?? '', 'hex').toString(), SECRET_PATH);
    const disposition = {
      leadId,
      sha256: file.leads[0]?.sha256,
      verdict: 'rejected',
      basis: 'viewed',
      note: null,
      decidedBy: 'Third',
    };
    writeFileSync(
      folder.at('back.json'),
      JSON.stringify({
        kind: 'homeward-dispositions',
        version: '1.0',
        dispositions: [disposition, { ...disposition, leadId: 77 }],
      }),
    );
    const back = await as('First', 'import', folder.at('back.json'));
    assert.equal(back.code, 4, back.stderr);
    assert.match(back.stdout, /^1 disposition recorded, 0 recorded before, 1 refused\.\n {2}row 2: leadNotFound/);
    assert.match((await as('First', 'precision')).stdout, /pdq \(pdq-512\/1\): 1 of 1 decided leads confirmed/);
  });

  it('refuses to resume what is not paused', async () => {
    assert.match(
      (await as('First', 'resume', 'place', '--reason', 'why not')).stderr,
      /^HW_USAGE: expected a method that is paused/,
    );
  });

  it('explains matches as JSON; perceptual hashes only when asked', async () => {
    const plain = await homeward('explain', ids.m);
    const hashes = await homeward('explain', ids.m, '--hashes');
    const model = await homeward('explain', ids.v);
    outputs.push(plain.stdout, model.stdout);
    assert.deepEqual([plain.code, hashes.code, model.code], [0, 0, 0], plain.stderr + hashes.stderr + model.stderr);
    assert.equal(JSON.parse(model.stdout).media.sha256, material.sha256);
    assert.equal(hashes.stdout.includes('aa'.repeat(32)), true);
  });

  it('follows a hash set that is removed: a decided lead stays, and shows what it rested on', async () => {
    const removed = await homeward('hashset', 'remove', setName, '--source', 'Project');
    outputs.push(removed.stdout);
    assert.match(removed.stdout, /\n {2}leads: 1 changed in weight or state/, removed.stderr);
    const { stdout } = await as('Second', 'show', String(leadId));
    assert.match(stdout, /weight 10\^2\.0, confirmed/);
    assert.match(
      stdout,
      new RegExp(`it rested on ${ids.m}: pdq \\(pdq-512/1\\), distance 12 where 31 is allowed; withdrawn since`),
    );
    assert.match(stdout, new RegExp(`it rested on ${ids.v}: face \\(.*\\), distance 0\\.1 where 0\\.2 is allowed\\n`));
  });

  it('S1, S2: no picture, vector or perceptual hash is in any output that did not ask for one', () => {
    assert.ok(outputs.length > 14);
    for (const text of outputs) {
      assert.deepEqual(picturesInText(text), []);
      assert.equal(text.includes('aa'.repeat(32)), false);
      assert.equal(text.includes('[1,0,0]'), false);
    }
  });

  it('S3: every command is recorded, with the verdict and the revealing', async () => {
    await withData(folder.at('data'), async (db) => {
      const acts = (await Array.fromAsync(listAudit(db, 'local'))).map(
        (one) => `${one.operation} ${one.action} ${one.outcome}`,
      );
      for (const act of [
        'consultation leads list done',
        'consultation leads show with names revealed done',
        'alteration leads decide confirmed done',
        'consultation leads export with names revealed done',
        'alteration leads import done',
        'alteration leads resume done',
        'consultation leads precision done',
        'consultation explain done',
        'consultation explain with perceptual hashes done',
      ])
        assert.ok(acts.includes(act), act);
      const removal = (await Array.fromAsync(listAudit(db, 'local'))).find(
        (one) => one.action === 'hashset remove' && one.outcome === 'done',
      );
      assert.deepEqual(removal?.objects.slice(1), ['leads: 0 withdrawn, 1 changed, 0 opened', `lead ${leadId}`]);
    });
  });
});
