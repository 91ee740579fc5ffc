import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ProtobufWriter } from './protobuf-writer.ts';

const hex = (writer: ProtobufWriter) => Buffer.from(writer.finish()).toString('hex');

/** Seven bits a byte, the lowest first, as the encoding guide describes a varint. */
function varint(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
}

describe('ProtobufWriter', () => {
  it('writes the examples of the encoding guide of Protocol Buffers', () => {
    assert.equal(hex(new ProtobufWriter().integer(1, 150)), '089601');
    assert.equal(hex(new ProtobufWriter().text(2, 'testing')), '120774657374696e67');
    assert.equal(hex(new ProtobufWriter().message(3, new ProtobufWriter().integer(1, 150))), '1a03089601');
  });

  it('writes a text as UTF-8 with its length in bytes', () => {
    assert.equal(hex(new ProtobufWriter().text(1, 'né')), '0a036ec3a9');
  });

  it('writes every whole number of up to 53 bits so that it can be read back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = new ProtobufWriter().integer(1, value).finish().subarray(1);
        assert.equal(varint(bytes), BigInt(value));
        assert.ok(bytes.every((byte, index) => byte >= 0x80 === index < bytes.length - 1));
      }),
    );
  });

  it('refuses a number that it cannot write', () => {
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      assert.throws(() => new ProtobufWriter().integer(1, value), RangeError);
    }
  });
});
