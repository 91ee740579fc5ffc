import { HomewardError } from '../../schemas/error.ts';
import { GraphBuilder } from './graph-builder.ts';
import { CONVERTED_NETS, type Net } from './nets.ts';
import type { OnnxPort } from './onnx-model.ts';
import { pathBelowPackages, readSource, unreadable } from './source-files.ts';

export interface ConvertedNet {
  /** The ONNX file; the same bytes every time. */
  readonly bytes: Uint8Array;
  /** What it was made from: path below the folder of packages, with forward slashes, and SHA-256 in lower-case hexadecimal. */
  readonly sourceFiles: readonly { readonly path: string; readonly sha256: string }[];
}

export interface NetDescription {
  /** Name and shape of the one input: [batch, 3, height, width]; `batch` is free. */
  readonly inputs: readonly OnnxPort[];
  /** Height and width of the input. */
  readonly sidePixels: number;
  readonly outputs: readonly OnnxPort[];
  readonly sourceFiles: ConvertedNet['sourceFiles'];
}

const nets = new Map<string, Net>(Object.entries(CONVERTED_NETS));

/** The nets that can be made from installed npm packages, by id. */
export const NETS: ReadonlyMap<string, NetDescription> = new Map([...nets].map(([id, net]) => [id, describe(net)]));

/**
 * Makes the ONNX file of one net. `packagesRoot` is the `node_modules` of the checkout.
 * Throws HW_USAGE for an unknown id, HW_MODEL_BUILD where the weights are absent or not those it was written for.
 */
export async function convertNet(id: string, packagesRoot: string): Promise<ConvertedNet> {
  const net = nets.get(id);
  if (net === undefined) {
    throw new HomewardError(
      'HW_USAGE',
      `expected the id of a net that can be converted (${[...nets.keys()].join(', ')}), received ${id}`,
    );
  }
  const files = await Promise.all(net.source.map((source) => readSource(packagesRoot, source)));
  const builder = new GraphBuilder(inputOf(net));
  const wires = net.build(builder, files);
  const outputs = net.outputs.map((port, index) => {
    const wire = wires[index];
    if (wire === undefined) throw unreadable(`the output ${port.name} of ${id}`, 'none');
    return { wire, port };
  });
  return { bytes: builder.finish(id, outputs), sourceFiles: sourceFiles(net) };
}

function inputOf({ sidePixels }: Net): OnnxPort {
  return { name: 'input', shape: ['batch', 3, sidePixels, sidePixels] };
}

function describe(net: Net): NetDescription {
  const { sidePixels, outputs } = net;
  return { inputs: [inputOf(net)], sidePixels, outputs, sourceFiles: sourceFiles(net) };
}

function sourceFiles(net: Net): ConvertedNet['sourceFiles'] {
  return net.source.map((source) => ({ path: pathBelowPackages(source), sha256: source.sha256 }));
}
