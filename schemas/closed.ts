import { type Static, type TProperties, type TSchema, Type } from 'typebox';

/** An object that allows no other key: what is not named here cannot cross a boundary. */
export const Closed = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** A value or null; records say null where something is not known, never leave the key out. */
export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** One of some literal strings. */
export const OneOf = <const V extends readonly string[]>(values: V) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: [...values] });

/** Lower-case hexadecimal of exactly `bytes` bytes. */
export const Hex = (bytes: number) =>
  Type.String({ pattern: `^[0-9a-f]{${bytes * 2}}$`, minLength: bytes * 2, maxLength: bytes * 2 });

/** Text from outside, bounded so that no record can carry a picture in it. */
export const BoundedText = (maxLength: number) => Type.String({ maxLength });

export const Count = (maximum: number = Number.MAX_SAFE_INTEGER) => Type.Integer({ minimum: 0, maximum });

export type { Static };
