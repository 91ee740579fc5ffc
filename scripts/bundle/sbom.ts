import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

interface CycloneDx {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: unknown[];
}

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * The bill of materials (CycloneDX 1.5, JSON) of what is installed under `root`, as npm states it, without the time and the random number
 * that would make two bundles of one commit differ.
 */
export function billOfMaterials(root: string, name: string, date: Date): string {
  const ran = spawnSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: OUTPUT_LIMIT_BYTES,
    shell: process.platform === 'win32',
  });
  if (ran.status !== 0) throw new Error(`expected "npm sbom" to describe node_modules, received: ${ran.stderr}`);
  const bill: CycloneDx = JSON.parse(ran.stdout);
  bill.metadata.timestamp = date.toISOString();
  bill.metadata.component.name = name;
  delete bill.serialNumber;
  const digest = createHash('sha256').update(JSON.stringify(bill)).digest('hex');
  // RFC 9562, version 8: a UUID of our own making, here of the content.
  const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${uuid}` }, null, 2)}\n`;
}
