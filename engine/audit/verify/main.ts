// The verifier by itself, for somebody who does not trust the engine: node main.ts EXPORT [--key FILE] [--witness FILE] [--code CODE]
// Nothing outside this folder is loaded, and no package; any Node that runs TypeScript (22.18 or newer) will do.
import { parseArgs } from 'node:util';
import { verifyFile } from './verify-file.ts';

const USAGE = 'usage: node main.ts EXPORT [--key PUBLIC.pem ...] [--witness FILE ...] [--code CODE ...]\n';

try {
  const { values, positionals } = parseArgs({
    options: {
      key: { type: 'string', multiple: true, default: [] },
      witness: { type: 'string', multiple: true, default: [] },
      code: { type: 'string', multiple: true, default: [] },
    },
    allowPositionals: true,
  });
  const [file] = positionals;
  if (file === undefined || positionals.length !== 1) throw new TypeError('expected one export');
  const { whole, lines } = await verifyFile({ file, keys: values.key, witnesses: values.witness, codes: values.code });
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = whole ? 0 : 4;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
