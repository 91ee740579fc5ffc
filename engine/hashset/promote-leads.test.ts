import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KnownRecord } from '../../schemas/known-record.ts';
import { emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { listLeads, showLead } from '../leads/queue.ts';
import { refreshLeads } from '../leads/refresh.ts';
import {
  addMaterial,
  addSeries,
  decided,
  evidenceOf,
  found,
  leadOf,
  type Material,
  PDQ_WEIGHT,
} from '../leads/test-lead-kit.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { writeSet } from './formats/writer.ts';
import { importSetFile } from './import.ts';
import { removeSet } from './sets.ts';

const pdqOf = (byte: number) => [
  { algorithm: 'pdq' as const, flavour: null, hex: byte.toString(16).padStart(2, '0').repeat(32), quality: 80 },
];

for (const engine of STORE_ENGINES) {
  describe(`leads when a hash set goes out of force on ${engine.name}`, engine.options, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-promote-leads-'));
    let db: Db;
    let bytes = 0;
    let names = 0;
    before(async () => {
      db = await engine.open();
    });
    after(async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    });

    async function imported(name: string, ...records: Partial<KnownRecord>[]) {
      const file = path.join(folder, 'set.ndjson');
      writeFileSync(file, await joined(writeSet('ndjson', streamOf(records.map(emptyRecord)), 'vic-us')));
      const signal = new AbortController().signal;
      return await importSetFile(db, { file, name, source: 'Project', importedBy: 'tester', signal });
    }
    async function seriesOf(name: string): Promise<number> {
      const [series] = await db.read(
        row({ seriesId: integer }),
        `select series_id from series where source = 'Project' and name = $1`,
        [name],
      );
      return series?.seriesId ?? assert.fail('no series');
    }
    /** A set with one record by PDQ, material that is near to it, and the lead of it. */
    async function led() {
      bytes += 1;
      names += 1;
      const [name, series, bits] = [`set ${names}`, `of set ${names}`, pdqOf(bytes)];
      const { setId } = await imported(name, { bits, series });
      const material = await addMaterial(db);
      await db.execute(
        `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits,
                            orientation, flavour, expected_false_matches, series_id)
         select $1, set_id, record_id, 'pdq', 'pdq-512/1', 'exact', 'test', 3, 31, 'original', 'pdq-512', 1e-20, series_id
           from known_record where set_id = $2`,
        [material.mediaId, setId],
      );
      await db.transaction(async (tx) => await refreshLeads(tx, { mediaIds: [material.mediaId] }));
      const seriesId = await seriesOf(series);
      const { leadId } = (await leadOf(db, material.mediaId, seriesId)) ?? assert.fail('no lead');
      return { name, series, bits, setId, material, seriesId, leadId };
    }
    const stateOf = async (material: Material, seriesId: number) => await leadOf(db, material.mediaId, seriesId);

    it('are withdrawn with the evidence of a set that is removed, where none is left', async () => {
      const one = await led();
      assert.deepEqual(await removeSet(db, one.setId), {
        opened: 0,
        changed: 0,
        withdrawn: 1,
        leadIds: [one.leadId],
      });
      assert.equal((await stateOf(one.material, one.seriesId))?.state, 'withdrawn');
      const queue = await listLeads(db, { viewer: 'A', most: 1_000 });
      assert.equal(
        queue.some(({ leadId }) => leadId === one.leadId),
        false,
      );
    });

    it('stay open where the next version holds the same record, and rest on that', async () => {
      const one = await led();
      const next = await imported(one.name, { bits: one.bits, series: one.series, categoryCode: '2' });
      assert.deepEqual(next.leads, { opened: 0, changed: 0, withdrawn: 0, leadIds: [] });
      const shown = await showLead(db, one.leadId, 'A');
      assert.equal(shown.state, 'open');
      assert.match(shown.reasons[0]?.sentence ?? '', / version 2, /);
    });

    it('are withdrawn where the next version leaves the record out', async () => {
      const one = await led();
      const without = await imported(one.name, { bits: pdqOf(250), series: one.series });
      assert.deepEqual(without.leads, { opened: 0, changed: 0, withdrawn: 1, leadIds: [one.leadId] });
      assert.equal((await stateOf(one.material, one.seriesId))?.state, 'withdrawn');
    });

    it('go to the series that the next version has the record in', async () => {
      const one = await led();
      const moved = await imported(one.name, { bits: one.bits, series: `${one.series}, corrected` });
      const now = await stateOf(one.material, await seriesOf(`${one.series}, corrected`));
      assert.deepEqual(
        [now?.state, (await stateOf(one.material, one.seriesId))?.state, moved.leads.leadIds],
        ['open', 'withdrawn', [one.leadId, now?.leadId]],
      );
    });

    it('keep what else they rest on, and lose its weight alone', async () => {
      const one = await led();
      const known = await addSeries(db);
      await found(db, evidenceOf('face', one.material, { ...known, seriesId: one.seriesId }));
      assert.equal((await stateOf(one.material, one.seriesId))?.weight, PDQ_WEIGHT);
      assert.deepEqual(await removeSet(db, one.setId), { opened: 0, changed: 1, withdrawn: 0, leadIds: [one.leadId] });
      assert.deepEqual(await stateOf(one.material, one.seriesId), { leadId: one.leadId, state: 'open', weight: 2 });
    });

    it('keep what people decided, and show what that rested on', async () => {
      const one = await led();
      await decided(db, one.leadId, 'First');
      await decided(db, one.leadId, 'Second');
      assert.deepEqual((await removeSet(db, one.setId)).leadIds, []);
      const shown = await showLead(db, one.leadId, 'First');
      assert.deepEqual([shown.state, shown.reasons], ['confirmed', []]);
      const [match] = await db.read(row({ id: text }), `select 'm' || match_id as id from match where set_id = $1`, [
        one.setId,
      ]);
      assert.deepEqual(
        shown.decisions?.map(({ evidence }) => evidence),
        Array.from({ length: 2 }, () => [
          {
            id: match?.id,
            method: 'pdq',
            algorithm: 'pdq-512/1',
            distance: 3,
            threshold: 31,
            calibrated: true,
            log10LikelihoodRatio: PDQ_WEIGHT,
            inForce: false,
          },
        ]),
      );
    });

    it('are opened where only a digest of the set made a content known', async () => {
      const [material, series] = [await addMaterial(db), await addSeries(db)];
      const { setId } = await imported('digests', { sha256: material.sha256 });
      await db.execute(
        `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits)
         select $1, set_id, record_id, 'sha256', 'sha256', 'exact', 'test', 0, 0 from known_record where set_id = $2`,
        [material.mediaId, setId],
      );
      await found(db, evidenceOf('copy', material, series));
      assert.equal(await stateOf(material, series.seriesId), null, 'a copy of known content is no news');
      assert.equal((await removeSet(db, setId)).opened, 1);
      assert.equal((await stateOf(material, series.seriesId))?.state, 'open');
    });

    it('of other sets are left alone', async () => {
      const [one, other] = [await led(), await led()];
      const before = await stateOf(other.material, other.seriesId);
      await removeSet(db, one.setId);
      assert.deepEqual(await stateOf(other.material, other.seriesId), before);
    });
  });
}
