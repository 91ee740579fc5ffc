import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GraphBuilder } from './graph-builder.ts';
import { graphModel } from './graph-model.ts';
import { GraphModelReader } from './graph-model-reader.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const constant = (name: string) => ({ name, op: 'Const' });
const convolution = (changes: Readonly<Record<string, unknown>> = {}) => ({
  name: 'out',
  op: 'Conv2D',
  input: ['in', 'kernel'],
  attr: { strides: { list: { i: ['1', '1', '1', '1'] } }, padding: { s: base64('SAME') }, ...changes },
});

/** What reading `out` of such a graph throws; its kernel is [1, 1, 3, 2], its vector has two values. */
function reading(...nodes: readonly object[]): () => void {
  const weights = [
    { name: 'kernel', shape: [1, 1, 3, 2], dtype: 'float32' },
    { name: 'vector', shape: [2], dtype: 'float32' },
  ];
  const description = {
    modelTopology: { node: [constant('kernel'), constant('vector'), ...nodes] },
    weightsManifest: [{ paths: [], weights }],
  };
  const builder = new GraphBuilder({ name: 'input', shape: ['batch', 3, 8, 8] });
  return () => new GraphModelReader(graphModel(description, new Uint8Array(32)), builder, 'in').wire('out');
}

describe('GraphModelReader', () => {
  it('reads a convolution', () => {
    assert.doesNotThrow(reading(convolution()));
  });

  const refusals: readonly (readonly [string, RegExp, readonly object[]])[] = [
    ['an operation it does not know', /operation.*Cumsum/, [{ name: 'out', op: 'Cumsum', input: ['in'] }]],
    ['a node that is not there', /node missing/, [{ name: 'out', op: 'Identity', input: ['missing'] }]],
    ['unequal strides', /stride/, [convolution({ strides: { list: { i: ['1', '2', '1', '1'] } } })]],
    ['explicit padding', /padding/, [convolution({ padding: { s: base64('EXPLICIT') } })]],
    ['dilation', /dilation/, [convolution({ dilations: { list: { i: ['1', '2', '2', '1'] } } })]],
    ['another layout', /NHWC/, [convolution({ data_format: { s: base64('NCHW') } })]],
    ['an activation it does not know', /Elu/, [convolution({ fused_ops: { list: { s: [base64('Elu')] } } })]],
    ['a vector after something else', /before a vector/, [{ name: 'out', op: 'Mul', input: ['in', 'vector'] }]],
  ];
  for (const [what, words, nodes] of refusals) {
    it(`refuses ${what} rather than guess`, () => {
      assert.throws(reading(...nodes), { code: 'HW_MODEL_BUILD', message: words });
    });
  }
});
