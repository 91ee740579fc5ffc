import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { writeSet } from '../../engine/hashset/formats/writer.ts';
import { listSets, setRecords } from '../../engine/hashset/sets.ts';
import { differences, readReport } from '../../engine/report/compare.ts';
import { writeReportFile } from '../../engine/report/write-json.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ReportSet } from '../../schemas/report.ts';
import { auditActOf } from './audit-act.ts';
import { withDatabase } from './open-database.ts';
import type { ScanProgress } from './scan-progress.ts';
import { type KnownSource, scanSeizure } from './scan-seizure.ts';

/**
 * Makes a report again from the material, in a fresh database of its own with copies of the hash sets it rested on, and says what differs
 * besides times. Nothing is added to the unit's database but the audit entry.
 * @throws HomewardError HW_REPORT_INVALID, HW_PATH_NOT_FOUND when the material is not where it was, HW_SET_NOT_FOUND when a set is gone
 */
export async function reproduceReport(
  config: Config,
  reportFile: string,
  run: { readonly signal: AbortSignal; readonly progress: ScanProgress },
): Promise<{ readonly items: number; readonly differences: readonly string[] }> {
  const expected = await readReport(reportFile);
  const { batch, sets } = expected.head;
  const missing = batch.roots.find((root) => !existsSync(root));
  if (missing !== undefined) {
    throw new HomewardError(
      'HW_PATH_NOT_FOUND',
      `expected the material where the report found it, ${JSON.stringify(missing)} is not there; mount it at the same place`,
    );
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'homeward-reproduce-'));
  try {
    const known = await withDatabase(config, async (db) => {
      const act = auditActOf(config, 'consultation', 'reproduce', { case: batch.caseRef });
      return await withAudit(db, { ...act, objects: [`batch ${batch.batchId}`] }, async () => ({
        result: await Promise.all(
          sets.map(async (set, at) => await copySet(db, set, path.join(folder, `set-${at}.ndjson`))),
        ),
      }));
    });
    const again = path.join(folder, 'report.json');
    await scanSeizure({
      config: {
        ...config,
        dataFolder: path.join(folder, 'data'),
        databaseUrl: null,
        organisation: batch.organisation,
        fileBudget: batch.budgets.file,
        archiveBudget: batch.budgets.archive,
      },
      roots: batch.roots,
      caseRef: batch.caseRef,
      exhibitRef: batch.exhibitRef,
      mode: batch.mode,
      known,
      resume: false,
      models: null,
      reveal: false,
      signal: run.signal,
      progress: run.progress,
      report: async (builder) => await writeReportFile(again, builder.items(), () => builder.head()),
    });
    const received = await readReport(again);
    return { items: received.items.size, differences: differences(expected, received) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copySet(db: Parameters<typeof listSets>[0], set: ReportSet, file: string): Promise<KnownSource> {
  const found = (await listSets(db)).find(
    (one) => one.sha256 === set.sha256 && one.source === set.source && one.name === set.name && one.state === 'active',
  );
  if (found === undefined) {
    throw new HomewardError(
      'HW_SET_NOT_FOUND',
      `expected ${JSON.stringify(set.name)} version ${set.version} of ${JSON.stringify(set.source)} (SHA-256 ${set.sha256.slice(0, 12)}) in force, since the report rests on it; import that file again, into another --data if a newer one is in force here`,
    );
  }
  await pipeline(
    writeSet('ndjson', setRecords(db, found.setId), found.categoryScheme),
    createWriteStream(file, { mode: 0o600 }),
  );
  return {
    file,
    source: found.source,
    name: found.name,
    purpose: found.purpose === 'good' ? 'good' : 'known',
    asReceived: {
      version: found.version,
      sha256: found.sha256,
      format: found.format,
      formatVersion: found.formatVersion,
    },
  };
}
