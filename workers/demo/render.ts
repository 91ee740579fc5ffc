import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Compile } from 'typebox/compile';
import { DemoOrder } from '../../schemas/demo.ts';
import { renderOrder } from './render-order.ts';

/**
 * The demo's renderer as a process of its own, since the encoder lives under workers only: `render.ts --out FOLDER`, the order
 * (schemas/demo.ts) as JSON on standard input, the manifest as JSON on standard output. Exits 2 on an order it does not understand.
 */
const { values } = parseArgs({ options: { out: { type: 'string' } } });
const order: unknown = JSON.parse(await text(process.stdin));
if (values.out === undefined || !Compile(DemoOrder).Check(order)) {
  process.stderr.write('expected --out FOLDER and an order as JSON on standard input (schemas/demo.ts)\n');
  process.exitCode = 2;
} else {
  process.stdout.write(`${JSON.stringify(await renderOrder(values.out, order))}\n`);
}
