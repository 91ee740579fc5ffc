import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HomewardError } from '../../schemas/error.ts';
import { ProtobufWriter } from '../convert/protobuf-writer.ts';
import { inspectOnnx } from './onnx-inspect.ts';
import { memoryBomb, model, nestedNet, operation, tinyGraphMessage, tinyNet } from './test-kit.ts';

const refusal = (bytes: Uint8Array): string => {
  try {
    inspectOnnx(bytes);
  } catch (error) {
    if (error instanceof HomewardError && error.code === 'HW_MODEL_FORMAT') return error.message;
    throw error;
  }
  return 'none';
};

const tensor = (...sides: readonly number[]): ProtobufWriter => {
  const writer = new ProtobufWriter();
  for (const side of sides) writer.integer(1, side);
  return writer.integer(2, 1).text(8, 'weights');
};
const within = (initializer: ProtobufWriter): Uint8Array =>
  model(tinyGraphMessage((graph) => graph.message(5, initializer)));
const entry = new ProtobufWriter().text(1, 'location').text(2, '../../../../etc/passwd');

describe('what an ONNX file may hold', () => {
  it('is a graph of standard operations, which are counted', () => {
    assert.deepEqual(inspectOnnx(tinyNet()), { nodes: 2, tensors: 0, operatorSets: [17] });
  });

  it('may be larger than what it says: nothing of a bomb shows before it runs', () => {
    assert.equal(refusal(memoryBomb()), 'none');
  });

  for (const [what, bytes] of Object.entries({
    'weights in another file': within(tensor(4).message(13, entry).integer(14, 1)),
    'a reference to another file that says it is none': within(tensor(4).message(13, entry).bytes(9, Buffer.alloc(16))),
    'a claim of weights elsewhere without a place': within(tensor(4).integer(14, 1).bytes(9, Buffer.alloc(16))),
    'a claim of weights elsewhere that is taken back': within(tensor(4).integer(14, 1).integer(14, 0)),
    'external data in a constant': model(
      tinyGraphMessage((graph) =>
        graph.message(
          1,
          operation('Constant', [], ['c']).message(
            5,
            new ProtobufWriter().text(1, 'value').message(5, tensor(4).integer(14, 1)),
          ),
        ),
      ),
    ),
  }))
    it(`is not ${what}`, () => assert.match(refusal(bytes), /external data/));

  it('is not an operation of somebody else', () => {
    const foreign = operation('Backdoor', ['input'], ['x']).text(7, 'com.example');
    assert.match(refusal(model(tinyGraphMessage((graph) => graph.message(1, foreign)))), /domain "com.example"/);
  });

  it('is not an operator set of somebody else', () => {
    const bytes = model(
      tinyGraphMessage(() => undefined),
      (writer) => writer.message(8, new ProtobufWriter().text(1, 'ai.evil').integer(2, 1)),
    );
    assert.match(refusal(bytes), /domain "ai.evil"/);
  });

  it('is not a function, which could call itself at any size', () => {
    const bytes = model(
      tinyGraphMessage(() => undefined),
      (writer) => writer.message(25, new ProtobufWriter().text(1, 'f')),
    );
    assert.match(refusal(bytes), /functions of its own/);
  });

  it('is not a sparse tensor', () => {
    assert.match(refusal(model(tinyGraphMessage((graph) => graph.message(15, tensor(1))))), /sparse/);
  });

  it('is not a tensor that claims more elements than the file has bytes', () => {
    assert.match(
      refusal(within(tensor(1_000_000, 1_000_000).bytes(9, Buffer.alloc(16)))),
      /claims 1000000000000 elements/,
    );
  });

  it('is not a side below zero, which is written as a number above 2^63', () => {
    const minusOne = Uint8Array.from([0x08, ...new Array(9).fill(0xff), 0x01]);
    const bytes = model(new ProtobufWriter().message(1, operation('Neg', ['a'], ['b'])).bytes(5, minusOne));
    assert.match(refusal(bytes), /claims Infinity elements/);
  });

  it('is not an absurd number of operations', () => {
    const one = new ProtobufWriter().message(1, operation('Neg', ['a'], ['b'])).finish();
    const graph = Buffer.concat(new Array<Uint8Array>(50_001).fill(one));
    assert.match(refusal(new ProtobufWriter().bytes(7, graph).finish()), /more than 50000 operations/);
  });

  it('is not graphs within graphs without end', () => {
    assert.equal(refusal(nestedNet(8)), 'none');
    assert.match(refusal(nestedNet(9)), /nested deeper/);
  });

  for (const [what, bytes] of Object.entries({
    'a zip file': Buffer.from('PK\u0003\u0004 and so on'),
    'a Python pickle': Buffer.from([0x80, 0x02, 0x63, 0x6f, 0x73, 0x0a, 0x73, 0x79]),
    'an HDF5 file': Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
    'a TensorFlow Lite file': Buffer.from('\u001c\u0000\u0000\u0000TFL3 and so on'),
    "onnxruntime's own format": Buffer.from('\u001c\u0000\u0000\u0000ORTM and so on'),
    'a pointer of Git LFS': Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
    'an empty file': Buffer.alloc(0),
  }))
    it(`is not ${what}, and the refusal says so`, () => assert.ok(refusal(bytes).includes(`received ${what}`)));

  it('is refused as no message where it is cut off', () => {
    const bytes = tinyNet();
    for (let length = 1; length < bytes.length; length += 7)
      assert.notEqual(refusal(bytes.subarray(0, length)), 'none');
  });

  it('is read to its end or refused, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => refusal(bytes).length > 0));
  });

  it('is read to its end or refused, whichever bytes of a net are other ones', () => {
    const bytes = within(tensor(4).bytes(9, Buffer.alloc(16)));
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        return refusal(changed).length > 0;
      }),
      { numRuns: 1000 },
    );
  });
});
