import { globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface InstalledPackage {
  /** Folder relative to the root, e.g. `node_modules/pg`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Names of the files that hold its licence and its notices. */
  readonly texts: readonly string[];
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third.?party)/i;

/** Every package that lies under node_modules of `root`, nested ones too, in order of folder. */
export function installedPackages(root: string): readonly InstalledPackage[] {
  return globSync(['node_modules/{*,@*/*}/package.json', 'node_modules/**/node_modules/{*,@*/*}/package.json'], {
    cwd: root,
  })
    .map((file) => path.dirname(file).replaceAll('\\', '/'))
    .sort()
    .flatMap((folder) => {
      const manifest: { name?: string; version?: string; license?: string | { type?: string } } = JSON.parse(
        readFileSync(path.join(root, folder, 'package.json'), 'utf8'),
      );
      if (manifest.name === undefined || manifest.version === undefined) return [];
      const licence = typeof manifest.license === 'object' ? manifest.license.type : manifest.license;
      const texts = readdirSync(path.join(root, folder))
        .filter((name) => LICENCE_FILE.test(name))
        .sort();
      return [{ folder, name: manifest.name, version: manifest.version, licence: licence ?? 'not stated', texts }];
    });
}

/** The licence list: a table of all packages, then every text that came with one. */
export function licenceList(root: string): string {
  const packages = installedPackages(root);
  const table = packages.map(({ name, version, licence }) => `${name} ${version}: ${licence}`);
  const texts = packages.flatMap(({ folder, name, version, texts }) =>
    texts.map((file) => {
      const text = readFileSync(path.join(root, folder, file), 'utf8').trimEnd();
      return `${'='.repeat(80)}\n${name} ${version}, ${file}\n${'='.repeat(80)}\n${text}\n`;
    }),
  );
  return `Licences of the ${packages.length} packages in this bundle\n\n${table.join('\n')}\n\n${texts.join('\n')}`;
}
