import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';
import { LeadFile } from '../../schemas/lead-file.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { leadCsv, leadFile } from './export-leads.ts';
import { importDispositions } from './import-dispositions.ts';
import { detailedLeads } from './queue.ts';
import { addMaterial, addSeries, decided, evidenceOf, found, leadOf } from './test-lead-kit.ts';

const checkFile = Compile(LeadFile);
const fileOf = (dispositions: readonly unknown[]) =>
  Buffer.from(JSON.stringify({ kind: 'homeward-dispositions', version: '1.0', dispositions }));

for (const engine of STORE_ENGINES) {
  describe(`leads out to a viewer and back on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    async function lead(path?: Buffer | string) {
      const [material, series] = [await addMaterial(db, path), await addSeries(db)];
      await found(db, evidenceOf('face', material, series));
      const made = (await leadOf(db, material.mediaId, series.seriesId)) ?? assert.fail('no lead');
      return { ...made, material, series };
    }
    const row = (of: Awaited<ReturnType<typeof lead>>, changes = {}) => ({
      leadId: of.leadId,
      sha256: of.material.sha256,
      verdict: 'confirmed',
      basis: 'viewed',
      note: null,
      decidedBy: 'A. Viewer',
      ...changes,
    });
    const outcomes = async (file: Buffer) =>
      (await importDispositions(db, file)).map((one) => [one.outcome, one.reason]);
    const refusesFile = async (file: Buffer) =>
      await assert.rejects(
        importDispositions(db, file),
        (error: unknown) => error instanceof HomewardError && error.code === 'HW_LEAD_FILE',
      );

    it("exports place, content and face box by the closed schema, and nobody's decision", async () => {
      const one = await lead(Buffer.from('=cmd|"/c calc"!A1\xff.jpg', 'latin1'));
      await decided(db, one.leadId, 'First', { verdict: 'unsure', basis: null, note: 'a private note' });
      const exported = leadFile(
        await detailedLeads(db, { viewer: 'Second', series: one.series.name, most: 10 }),
        '2026-11-24T00:00:00.000Z',
      );
      assert.ok(checkFile.Check(exported), JSON.stringify(checkFile.Errors(exported)[0]));
      assert.deepEqual(
        exported.leads[0]?.items.map((item) => Buffer.from(item.pathHex, 'hex').toString('latin1')),
        ['=cmd|"/c calc"!A1\xff.jpg'],
      );
      assert.deepEqual(exported.leads[0]?.faces, [
        { faceId: one.material.faceId, x: 0, y: 10, width: 100, height: 100 },
      ]);
      assert.equal(exported.leads[0]?.sha256, one.material.sha256);
      assert.match(exported.leads[0]?.adultsOnly ?? '', /^Adults only/);
      assert.doesNotMatch(JSON.stringify(exported), /private note|unsure|First/);

      const csv: Record<string, string>[] = parse(leadCsv(exported), { columns: true, bom: true });
      assert.equal(csv.length, 1);
      assert.equal(csv[0]?.['path'], `'=cmd|"/c calc"!A1\ufffd.jpg`, 'no spreadsheet runs it');
      assert.deepEqual(
        [csv[0]?.['faceX'], csv[0]?.['faceWidth'], csv[0]?.['sha256']],
        ['0', '100', one.material.sha256],
      );
    });

    it('takes each row by itself, says why one is refused, and takes none twice', async () => {
      const [one, other] = [await lead(), await lead()];
      const file = fileOf([
        row(one),
        row(one, { decidedBy: 'B. Viewer', basis: 'partner', note: 'known to them' }),
        row(other, { sha256: one.material.sha256 }),
        row(other, { leadId: 999_999 }),
        row(other, { basis: null }),
        row(other, { verdict: 'perhaps' }),
        { leadId: other.leadId },
        row(other, { verdict: 'rejected', basis: null }),
      ]);
      assert.deepEqual(await outcomes(file), [
        ['recorded', null],
        ['recorded', null],
        ['refused', 'contentDiffers'],
        ['refused', 'leadNotFound'],
        ['refused', 'basisMissing'],
        ['refused', 'form'],
        ['refused', 'form'],
        ['recorded', null],
      ]);
      assert.equal((await leadOf(db, one.material.mediaId, one.series.seriesId))?.state, 'confirmed');
      assert.equal((await leadOf(db, other.material.mediaId, other.series.seriesId))?.state, 'rejected');
      assert.deepEqual(
        (await outcomes(file)).filter(([outcome]) => outcome !== 'refused'),
        [
          ['alreadyRecorded', null],
          ['alreadyRecorded', null],
          ['alreadyRecorded', null],
        ],
      );
    });

    it('reads CSV with commas or semicolons, columns in any order, quotes and guards', async () => {
      for (const separator of [',', ';']) {
        const one = await lead();
        const head = ['decidedBy', 'note', 'basis', 'verdict', 'sha256', 'leadId'].join(separator);
        const cells = [
          'A. Viewer',
          `"'=1+1""; seen"`,
          '',
          'unsure',
          one.material.sha256.toUpperCase(),
          String(one.leadId),
        ].join(separator);
        assert.deepEqual(await outcomes(Buffer.from(`\ufeff${head}\r\n${cells}\r\n`)), [['recorded', null]]);
        const [kept] = await db.query<{ note: string }>('select note from disposition where lead_id = $1', [
          one.leadId,
        ]);
        assert.equal(kept?.note, '=1+1"; seen');
      }
    });

    it('refuses a file that is no list of dispositions whole', async () => {
      const one = await lead();
      for (const text of [
        '',
        '{"kind":"homeward-dispositions","version":"1.0","dispositions":[',
        JSON.stringify({ kind: 'homeward-leads', version: '1.0', dispositions: [row(one)] }),
        JSON.stringify({ kind: 'homeward-dispositions', version: '1.0', dispositions: [row(one)], more: 1 }),
        `leadId,sha256,verdict,basis,note\r\n${one.leadId},${one.material.sha256},confirmed,viewed,\r\n`,
        `leadId,sha256,verdict,basis,note,decidedBy\r\n"${one.leadId}`,
      ]) {
        await refusesFile(Buffer.from(text));
      }
      assert.equal((await leadOf(db, one.material.mediaId, one.series.seriesId))?.state, 'open');
    });
  });
}
