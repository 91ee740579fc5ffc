import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Breach, checkWalls, ROOMS, type WallsReport } from '../scripts/walls/cruise.ts';
import { configuredRules } from '../scripts/walls/rules.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** Modules that each stand for a room; none of them breaks a wall. */
const HOUSE: Record<string, string> = {
  'schemas/word.ts': "import { Type } from 'typebox';\nexport const Word = Type.String();\n",
  'schemas/emit.ts': "import { writeFileSync } from 'node:fs';\nwriteFileSync('/dev/null', process.env['X'] ?? '');\n",
  'models/pack.ts': "import { Word } from '../schemas/word.ts';\nexport const pack = Word;\n",
  'workers/decode/pixels.ts': "import sharp from 'sharp';\nexport const decode = sharp;\n",
  'workers/fleet/start.ts':
    "import { fork } from 'node:child_process';\nexport const start = () => fork(new URL('../host/main.ts', import.meta.url));\n",
  'workers/host/main.ts':
    "import { decode } from '../decode/pixels.ts';\nprocess.exit(decode === undefined ? 1 : 0);\n",
  'engine/store/adapters/pg.ts': "import pg from 'pg';\nexport const adapter = pg;\n",
  'engine/match/policy.ts': "import { Word } from '../../schemas/word.ts';\nexport const policy = Word;\n",
  'engine/audit/verify/chain.ts': "import { createHash } from 'node:crypto';\nexport const chain = createHash;\n",
  'engine/audit/entry.ts': 'export const entry = 1;\n',
  'api/compose/open.ts':
    "import { adapter } from '../../engine/store/adapters/pg.ts';\nimport { start } from '../../workers/fleet/start.ts';\nexport const open = [adapter, start];\n",
  'api/cli/main.ts':
    "import { open } from '../compose/open.ts';\nprocess.exit(open.length + Number(process.env['X']));\n",
  'api/demo/scene.ts': "import { decode } from '../../workers/decode/pixels.ts';\nexport const scene = decode;\n",
  'bench/run.ts': "import { adapter } from '../engine/store/adapters/pg.ts';\nexport const bench = adapter;\n",
  'test/shared.ts': 'export const shared = 1;\n',
};

const imports = (target: string) => `import * as other from '${target}';\nexport default other;\n`;
const typeOf = (target: string) => `import type * as other from '${target}';\nexport type Other = typeof other;\n`;
const byUrl = (target: string) => `export const place = new URL('${target}', import.meta.url);\n`;
const byPath = (...parts: string[]) =>
  `import path from 'node:path';\nexport const place = path.join(import.meta.dirname, ${parts.map((part) => `'${part}'`).join(', ')});\n`;

/** One breach each: the wall that has to report it, the file it is planted in, the text of that file. */
const PLANTED: readonly (readonly [wall: string, file: string, text: string])[] = [
  ['schemas-import-nothing', 'schemas/planted-room.ts', imports('../engine/match/policy.ts')],
  ['schemas-import-nothing', 'schemas/planted-package.ts', imports('commander')],
  ['schemas-import-nothing', 'schemas/planted-node.ts', imports('node:fs')],
  ['models-import-schemas', 'models/planted.ts', imports('../workers/decode/pixels.ts')],
  ['workers-import-models-and-schemas', 'workers/host/planted.ts', imports('../../engine/match/policy.ts')],
  ['workers-import-models-and-schemas', 'workers/host/planted-type.ts', typeOf('../../engine/match/policy.ts')],
  ['fleet-holds-no-pixels', 'workers/fleet/planted.ts', imports('../decode/pixels.ts')],
  ['fleet-loads-no-decoder', 'workers/fleet/planted-package.ts', imports('sharp')],
  ['hosts-are-started', 'workers/fleet/planted-host.ts', imports('../host/main.ts')],
  ['engine-imports-schemas', 'engine/match/planted.ts', imports('../../models/pack.ts')],
  ['engine-imports-schemas', 'engine/match/planted-type.ts', typeOf('../../workers/decode/pixels.ts')],
  ['engine-imports-schemas', 'engine/match/planted-url.ts', byUrl('../../workers/host/main.ts')],
  ['engine-imports-schemas', 'engine/match/planted-path.ts', byPath('..', '..', 'workers', 'host', 'main.ts')],
  ['engine-imports-schemas', 'engine/match/planted-root.ts', "export const entry = 'workers/host/main.ts';\n"],
  ['api-imports-engine-and-schemas', 'api/cli/planted.ts', imports('../../workers/fleet/start.ts')],
  ['api-imports-engine-and-schemas', 'api/cli/planted-url.ts', byUrl('../../workers/decode/pixels.ts')],
  ['adapters-only-in-compose', 'api/cli/planted-adapter.ts', imports('../../engine/store/adapters/pg.ts')],
  ['adapters-only-in-compose', 'engine/match/planted-adapter.ts', imports('../store/adapters/pg.ts')],
  ['http-only-in-api-http', 'api/cli/planted-http.ts', imports('fastify')],
  ['http-only-in-api-http', 'engine/match/planted-http.ts', imports('prom-client')],
  ['only-tests-reach-out', 'engine/match/planted-test.ts', imports('../../test/shared.ts')],
  ['pixels-only-in-workers', 'api/report/planted.ts', imports('sharp')],
  ['pixels-only-in-workers', 'engine/match/planted-heif.ts', imports('libheif-js')],
  ['pixels-only-in-workers', 'engine/match/planted-require.ts', "export const bmp = import.meta.resolve('bmp-ts');\n"],
  ['inference-only-in-workers-and-models', 'engine/match/planted-model.ts', imports('onnxruntime-node')],
  ['database-only-in-adapters', 'engine/match/planted-pg.ts', imports('pg')],
  ['database-only-in-adapters', 'api/cli/planted-pglite.ts', imports('@electric-sql/pglite')],
  ['audit-verify-stands-alone', 'engine/audit/verify/planted.ts', imports('../entry.ts')],
  ['audit-verify-stands-alone', 'engine/audit/verify/planted-schema.ts', imports('../../../schemas/word.ts')],
  ['shipped-code-uses-shipped-packages', 'engine/match/planted-dev.ts', imports('fast-check')],
  ['everything-resolves', 'engine/match/planted-nothing.ts', imports('./nowhere.ts')],
  ['no-cycles', 'engine/match/planted-cycle.ts', imports('./planted-cycle-back.ts')],
  ['no-cycles', 'engine/match/planted-cycle-back.ts', typeOf('./planted-cycle.ts')],
  ['process-only-where-it-starts', 'engine/match/planted-env.ts', "export const home = process.env['HOME'];\n"],
  ['process-only-where-it-starts', 'engine/match/planted-destructured.ts', 'export const { env } = process;\n'],
  ['process-only-where-it-starts', 'api/cli/planted-exit.ts', "import { exit } from 'node:process';\nexit(1);\n"],
  ['imports-can-be-read', 'engine/match/planted-computed.ts', 'export const load = (name: string) => import(name);\n'],
];

describe('the walls between the rooms', () => {
  let tree: string;
  let report: WallsReport;

  before(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'walls-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      cpSync(path.join(ROOT, file), path.join(tree, file));
    }
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'), 'junction');
    for (const [file, text] of [...Object.entries(HOUSE), ...PLANTED.map(([, file, text]) => [file, text] as const)]) {
      mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
      writeFileSync(path.join(tree, file), text);
    }
    report = checkWalls(tree);
  });
  after(() => rmSync(tree, { recursive: true, force: true }));

  for (const [wall, file] of PLANTED) {
    it(`${wall} reports ${file}`, () => {
      assert.ok(
        report.breaches.some((breach) => breach.wall === wall && involves(breach, file)),
        `expected a breach of ${wall} by ${file}, found: ${JSON.stringify(report.breaches.filter((breach) => startsIn(breach, file)))}`,
      );
    });
  }

  it('has nothing against a house that keeps to them', () => {
    const innocent = report.breaches.filter((breach) => Object.keys(HOUSE).some((file) => startsIn(breach, file)));
    assert.deepEqual(innocent, []);
  });

  it('reads every module of the fixture', () => {
    assert.equal(report.modulesSeen, Object.keys(HOUSE).length + PLANTED.length);
  });

  it('plants a breach of every wall that is configured', () => {
    const unproven = configuredRules(ROOT).filter(({ name }) => !PLANTED.some(([wall]) => wall === name));
    assert.deepEqual(unproven, []);
  });

  it('sees the modules of the real house', () => {
    const real = checkWalls(ROOT);
    assert.ok(
      real.modulesThere > 60,
      `expected more than 60 source files in ${ROOMS.join(', ')}, found ${real.modulesThere}`,
    );
    assert.ok(
      real.modulesSeen > real.modulesThere - 5,
      `expected nearly all of ${real.modulesThere} source files to be read, read were ${real.modulesSeen}`,
    );
  });
});

/** A cycle is reported once, from one of its two files to the other. */
function involves(breach: Breach, file: string): boolean {
  return startsIn(breach, file) || (breach.wall === 'no-cycles' && breach.to === file);
}

function startsIn(breach: Breach, file: string): boolean {
  return breach.from === file || breach.from.startsWith(`${file}:`);
}
