import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathRules, wallsBroken } from './rules.ts';
import { factsOf } from './source-facts.ts';

export interface Breach {
  readonly wall: string;
  readonly from: string;
  readonly to: string;
}

export interface WallsReport {
  readonly breaches: readonly Breach[];
  /** Source files that dependency-cruiser read: with an unsuitable TypeScript it reads none and finds nothing. */
  readonly modulesSeen: number;
  /** Source files that are there. */
  readonly modulesThere: number;
}

export const ROOMS = ['schemas', 'models', 'workers', 'engine', 'api', 'bench', 'test', 'scripts', 'bin'] as const;

/** Only where a process starts may its environment be read and its end be decided; everyone else is told and returns. */
const PROCESS_STARTS =
  /^(bin|scripts|test|bench)\/|^api\/cli\/main\.ts$|^workers\/[^/]+\/main\.ts$|^workers\/demo\/render\.ts$|\/wasm\/build\.ts$|^engine\/audit\/verify\/main\.ts$|^schemas\/emit\.ts$|^workers\/fleet\/test-[a-z]+-host\.ts$|\.test\.ts$/;
/** AssemblyScript, which is no TypeScript, and a set of pictures. */
const EXCLUDED = /(^|\/)(wasm\/assembly|node_modules)\/|^bench\/set\//;
const CRUISER = 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs';
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

/** Checks every wall of the tree under `root`, which has its own .dependency-cruiser.cjs, tsconfig.json and node_modules. */
export function checkWalls(root: string): WallsReport {
  const files = sourceFiles(root);
  const cruised = cruise(root);
  const breaches = [...cruised.breaches];
  const rules = pathRules(root);
  for (const file of files) {
    const facts = factsOf(root, file, readFileSync(path.join(root, file), 'utf8'));
    for (const edge of facts.hidden) {
      for (const wall of wallsBroken(rules, edge)) breaches.push({ wall, from: `${file}:${edge.line}`, to: edge.to });
    }
    if (!PROCESS_STARTS.test(file)) {
      for (const use of facts.processUses) {
        breaches.push({
          wall: 'process-only-where-it-starts',
          from: `${file}:${use.line}`,
          to: `process.${use.member}`,
        });
      }
      for (const place of facts.computedImports) {
        breaches.push({ wall: 'imports-can-be-read', from: `${file}:${place.line}`, to: 'a computed path' });
      }
    }
  }
  return {
    breaches,
    modulesSeen: cruised.seen.filter((name) => files.includes(name)).length,
    modulesThere: files.length,
  };
}

function sourceFiles(root: string): string[] {
  return globSync(`{${ROOMS.join(',')}}/**/*.{ts,cjs,mjs}`, { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !EXCLUDED.test(file))
    .sort();
}

function cruise(root: string): { breaches: Breach[]; seen: string[] } {
  const rooms = ROOMS.filter((room) => existsSync(path.join(root, room)));
  const ran = spawnSync(
    process.execPath,
    [path.join(root, CRUISER), '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...rooms],
    { cwd: root, encoding: 'utf8', maxBuffer: OUTPUT_LIMIT_BYTES },
  );
  if (!ran.stdout.startsWith('{')) {
    throw new Error(`expected a JSON report of dependency-cruiser, received: ${ran.stdout}${ran.stderr}`);
  }
  const report: {
    modules: { source: string }[];
    summary: { violations: { from: string; to: string; rule: { name: string } }[] };
  } = JSON.parse(ran.stdout);
  return {
    breaches: report.summary.violations.map(({ rule, from, to }) => ({ wall: rule.name, from, to })),
    seen: report.modules.map((module) => module.source),
  };
}
