// The walls between the rooms. Read by dependency-cruiser for imports, and by scripts/check-walls.ts for the ways into a
// file that dependency-cruiser cannot see (new URL('x.ts', import.meta.url) and the like), so every rule keeps to
// `path` and `pathNot` on both sides; test/walls.test.ts plants a breach of each of them.
'use strict';

const ROOMS = 'schemas|models|workers|engine|api|bench|test|scripts|bin';
const rooms = (...names) => `^(${names.join('|')})/`;
const others = (...own) => ROOMS.split('|').filter((room) => !own.includes(room));
const packages = (...names) => `(^|node_modules/)(${names.join('|')})(/|$)`;

/** A test beside what it tests, and the kit that several of them share, may reach for what they compare with. */
const TEST = '\\.test\\.ts$|/test-[^/]+\\.ts$';
/** Renders and compares pictures in order to test, measure or show the rest. */
const OUTSIDE = rooms('bench', 'test', 'scripts');
const DEMO = '^api/demo/';
const PROTOTYPING = `${OUTSIDE}|${DEMO}|${TEST}`;

const wall = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    wall(
      'schemas-import-nothing',
      'What crosses a boundary may depend on no side of it; only typebox, and node itself where the JSON Schemas are written out.',
      { path: rooms('schemas'), pathNot: `${TEST}|^schemas/emit\\.ts$` },
      { path: '.', pathNot: `${rooms('schemas')}|${packages('typebox')}` },
    ),
    wall(
      'models-import-schemas',
      'A model pack knows nothing of who runs it.',
      { path: rooms('models'), pathNot: TEST },
      {
        path: rooms(...others('models', 'schemas')),
      },
    ),
    wall(
      'workers-import-models-and-schemas',
      'Pixels stay apart from database, keys and case data: a worker cannot even name them.',
      { path: rooms('workers'), pathNot: TEST },
      { path: rooms(...others('workers', 'models', 'schemas')) },
    ),
    wall(
      'fleet-holds-no-pixels',
      'The parent side runs in the engine process: it may start a host, never load what a host loads.',
      { path: '^workers/fleet/', pathNot: TEST },
      { path: '^workers/(?!fleet/)', pathNot: '^workers/[^/]+/main\\.ts$' },
    ),
    wall(
      'engine-imports-schemas',
      'The domain has no pixels, no HTTP, no terminal.',
      { path: rooms('engine'), pathNot: TEST },
      {
        path: rooms(...others('engine', 'schemas')),
      },
    ),
    wall(
      'api-imports-engine-and-schemas',
      'Faces to the outside see the domain, not how it is put together.',
      { path: rooms('api'), pathNot: `^api/compose/|${DEMO}|${TEST}` },
      { path: rooms(...others('api', 'engine', 'schemas')) },
    ),
    wall(
      'adapters-only-in-compose',
      'Everyone else sees the Db port, so that the same code runs embedded and on a server.',
      { path: '.', pathNot: `^api/compose/|^engine/store/adapters/|${PROTOTYPING}` },
      { path: '^engine/store/adapters/' },
    ),
    wall(
      'only-tests-reach-out',
      'Nothing that ships depends on tests, benchmarks or scripts.',
      { path: rooms('schemas', 'models', 'workers', 'engine', 'api', 'bin'), pathNot: `${DEMO}|${TEST}` },
      { path: rooms('bench', 'test', 'scripts') },
    ),
    wall(
      'pixels-only-in-workers',
      'A decoder in any other room would be a place where pixels exist.',
      { path: '.', pathNot: `^workers/|${PROTOTYPING}` },
      { path: packages('sharp', 'libheif-js', 'bmp-ts') },
    ),
    wall(
      'inference-only-in-workers-and-models',
      'A model runs in a host; models may open one for its self-test.',
      { path: '.', pathNot: `^workers/|^models/|${PROTOTYPING}` },
      { path: packages('onnxruntime-node', 'onnxruntime-web', 'onnxruntime-common') },
    ),
    wall(
      'fleet-loads-no-decoder',
      'The parent side of the workers runs in the engine process.',
      { path: '^workers/fleet/', pathNot: TEST },
      { path: packages('sharp', 'libheif-js', 'bmp-ts', 'onnxruntime-node') },
    ),
    wall(
      'database-only-in-adapters',
      'SQL goes through the Db port; a second driver in the house would be a second dialect.',
      { path: '.', pathNot: '^engine/store/adapters/|^bench/' },
      { path: packages('pg', 'pg-[^/]+', '@electric-sql') },
    ),
    wall(
      'http-only-in-api-http',
      'What leaves over the network passes the closed answers there; a second server in the house would have none.',
      { path: '.', pathNot: `^api/http/|^bench/|${TEST}` },
      { path: packages('fastify', '@fastify', 'prom-client') },
    ),
    wall(
      'audit-verify-stands-alone',
      'The verifier is for somebody who does not trust the engine.',
      { path: '^engine/audit/verify/', pathNot: TEST },
      { path: rooms(...ROOMS.split('|')), pathNot: '^engine/audit/verify/' },
    ),
    wall(
      'shipped-code-uses-shipped-packages',
      'A package that only development installs is missing on the machine of a lab.',
      {
        path: rooms('schemas', 'models', 'workers', 'engine', 'api', 'bin'),
        pathNot: `${TEST}|/wasm/(build|compile)\\.ts$`,
      },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),
    wall(
      'hosts-are-started',
      'Importing the entry of a host would run it in the importing process, without its limits.',
      { path: '.', pathNot: TEST },
      { path: '^workers/[^/]+/main\\.ts$', dependencyTypes: ['local'] },
    ),
    wall(
      'everything-resolves',
      'An import of nothing fails only when it is reached.',
      { path: '.' },
      {
        couldNotResolve: true,
        pathNot: '^(bun|deno):',
      },
    ),
    wall('no-cycles', 'Two files that need each other are one file.', { path: '.' }, { circular: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['(^|/)wasm/assembly/', '^dist/', '^bench/set/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    moduleSystems: ['es6', 'cjs'],
  },
};
