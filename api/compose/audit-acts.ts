import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  type AuditKey,
  changeAuditKey,
  initAuditKey,
  listAuditKeys,
  signingKeyInUse,
} from '../../engine/audit/audit-keys.ts';
import { listCheckpoints, makeCheckpoint, type SignedCheckpoint } from '../../engine/audit/checkpoint.ts';
import { dropCheckpoints } from '../../engine/audit/drop-folder.ts';
import { exportAudit } from '../../engine/audit/export.ts';
import { proveEntry } from '../../engine/audit/prove-entry.ts';
import { AUDIT_KEY_FILE, type SigningKey } from '../../engine/audit/signing-key.ts';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { witnessLines } from '../../engine/audit/witness-line.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { auditActOf } from './audit-act.ts';
import { withDatabase } from './open-database.ts';

/** Where the signing key of the audit lies. */
export const auditKeyFile = (config: Config): string =>
  config.auditKeyFile ?? path.join(config.dataFolder, AUDIT_KEY_FILE);

export async function initKey(config: Config): Promise<SigningKey> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'audit key init'), async () => {
        const key = await initAuditKey(db, auditKeyFile(config));
        return { result: key, objects: [`audit key ${key.keyId}`] };
      }),
  );
}

export async function changeKey(
  config: Config,
  justification: string,
): Promise<{ readonly key: SigningKey; readonly endorsed: boolean }> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'audit key change', { justification }), async () => {
        const changed = await changeAuditKey(db, auditKeyFile(config));
        return { result: changed, objects: [`audit key ${changed.key.keyId}`] };
      }),
  );
}

export async function auditKeys(config: Config): Promise<AuditKey[]> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'audit key list'), async () => ({
        result: await listAuditKeys(db),
      })),
  );
}

export interface DisclosureDetails {
  readonly purpose: string;
  readonly recipient: string;
  readonly justification: string;
}

export interface CheckpointAnswer {
  readonly signed: SignedCheckpoint;
  readonly dropped: readonly string[];
}

/** A checkpoint of where the chain stands now, in the drop folder where there is one; with `out`, copies of all of them in a file. */
export async function checkpointNow(config: Config, organisation: string, out?: string): Promise<CheckpointAnswer> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'audit checkpoint'), async () => {
        const { signed, dropped } = await signAndDrop(db, config, organisation);
        if (out !== undefined) {
          const lines = await witnessLines(db, await listCheckpoints(db, organisation));
          await writeOut(out, [lines.map((line) => `${line}\n`).join('')]);
        }
        return { result: { signed, dropped }, objects: [checkpointObject(signed)] };
      }),
  );
}

/** Writes what shows one entry to be in the audit, under a checkpoint made now; the entry itself is disclosed with it. */
export async function proveTo(
  config: Config,
  organisation: string,
  sequence: number,
  out: string,
  details: DisclosureDetails,
): Promise<SignedCheckpoint> {
  return await disclose(
    config,
    'audit prove',
    `entry ${sequence} of the audit of ${organisation}`,
    details,
    async (db) => {
      const { signed } = await signAndDrop(db, config, organisation);
      await writeOut(out, [`${await proveEntry(db, sequence, signed)}\n`]);
      return signed;
    },
  );
}

/** Writes an export that ends with a checkpoint of its own, this disclosure among its entries. */
export async function exportTo(
  config: Config,
  organisation: string,
  out: string,
  details: DisclosureDetails,
): Promise<SignedCheckpoint> {
  return await disclose(config, 'audit export', `audit of ${organisation}`, details, async (db) => {
    const { key, signed } = await signAndDrop(db, config, organisation);
    await writeOut(out, exportAudit(db, signed, key));
    return signed;
  });
}

async function disclose(
  config: Config,
  action: string,
  object: string,
  details: DisclosureDetails,
  work: (db: Db) => Promise<SignedCheckpoint>,
): Promise<SignedCheckpoint> {
  const act = { ...auditActOf(config, 'disclosure', action, details), objects: [object] };
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, act, async () => {
        const signed = await work(db);
        return { result: signed, objects: [checkpointObject(signed)] };
      }),
  );
}

const checkpointObject = ({ checkpoint, digest }: SignedCheckpoint): string =>
  `audit checkpoint of ${checkpoint.sequence} entries ${digest.slice(0, 16)}`;

async function signAndDrop(
  db: Db,
  config: Config,
  organisation: string,
): Promise<CheckpointAnswer & { readonly key: SigningKey }> {
  const key = await signingKeyInUse(db, auditKeyFile(config));
  const signed = (await makeCheckpoint(db, organisation, key)) ?? (await listCheckpoints(db, organisation)).at(-1);
  if (signed === undefined) {
    throw new HomewardError(
      'HW_USAGE',
      `expected an organisation that has an audit, received ${JSON.stringify(organisation)}, of which there is no entry; check the name`,
    );
  }
  const dropped =
    config.auditDropFolder === null ? [] : await dropCheckpoints(db, organisation, config.auditDropFolder);
  return { key, signed, dropped };
}

/** Whole or not at all, and for its owner alone. */
export async function writeOut(out: string, chunks: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const part = `${out}.part`;
  try {
    const handle = await open(part, 'w', 0o600);
    try {
      for await (const chunk of chunks) await handle.write(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, out);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    if (error instanceof HomewardError) throw error;
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected to be able to write the file named with --out, received ${error instanceof Error && 'code' in error ? String(error.code) : 'an error'}; choose a folder that exists and is writable`,
      { cause: error },
    );
  }
}
