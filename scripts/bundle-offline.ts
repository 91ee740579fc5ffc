/**
 * `npm run bundle:offline [-- --out DIR] [--allow-dirty]`: one archive with the checkout, its installed modules and runtime, bill of
 * materials, licences and checksums, for a machine without network. Made by git and npm; using it needs neither.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type BundleFile, writeArchive } from './bundle/archive.ts';
import { installPage } from './bundle/install-page.ts';
import { licenceList } from './bundle/installed-packages.ts';
import { isNeeded } from './bundle/needed-files.ts';
import { billOfMaterials } from './bundle/sbom.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(ROOT, 'dist') },
    'allow-dirty': { type: 'boolean', default: false },
  },
});

const changed = git('status', '--porcelain');
if (changed !== '' && !values['allow-dirty']) {
  process.stderr.write(
    `expected a checkout without changes, so that the bundle is what its commit says; changed:\n${changed}`,
  );
  process.exit(2);
}

const manifest: { version: string } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const platform = `${process.platform}-${process.arch}`;
const date = new Date(Number(git('log', '-1', '--format=%ct')) * 1000);
const commit = git('log', '-1', '--format=%H').trim();
const folder = `homeward-${manifest.version}`;
const target = path.join(values.out, `homeward-offline-${manifest.version}-${platform}.tar.gz`);

const tracked = git('ls-files', '-z').split('\0');
// Not a glob: those pass over names that begin with a dot, and a bundle of most files is worse than none.
const modules = readdirSync(path.join(ROOT, 'node_modules'), { recursive: true, encoding: 'utf8' })
  .map((name) => `node_modules/${name.replaceAll('\\', '/')}`)
  .filter((name) => isNeeded(name, process.platform, process.arch));
const files: BundleFile[] = [...tracked, ...modules]
  .filter((name) => name !== '' && lstatSync(path.join(ROOT, name)).isFile())
  .map((name) => ({ name: name.replaceAll('\\', '/'), source: path.join(ROOT, name) }));
files.push(
  { name: 'SBOM.cdx.json', text: billOfMaterials(ROOT, 'homeward', date) },
  { name: 'LICENCES.txt', text: licenceList(ROOT) },
  {
    name: 'INSTALL.md',
    text: installPage({ version: manifest.version, commit, date, platform, node: process.version }),
  },
);

mkdirSync(values.out, { recursive: true });
const made = await writeArchive(target, folder, files, date);
process.stdout.write(`${target}\n${made.files} files, SHA-256 ${made.sha256}\n`);

function git(...args: string[]): string {
  const ran = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0) throw new Error(`expected git ${args.join(' ')} to succeed, received: ${ran.stderr}`);
  return ran.stdout;
}
