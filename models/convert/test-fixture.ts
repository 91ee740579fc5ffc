import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HashedInput } from './hashed-input.ts';

/** What the original of a net gives for a generated input, kept so that a conversion can be tested without TensorFlow.js. */
export interface Fixture {
  readonly input: HashedInput;
  readonly outputs: Readonly<Record<string, FixtureOutput>>;
}

interface FixtureOutput {
  readonly length: number;
  readonly firstValues: readonly number[];
  readonly sumOfSquares: number;
}

const FIRST_VALUES = 32;
/** As many as tell one 32-bit float from the next. */
const DIGITS = 9;

export const fixtureFile = (net: string): string => path.join(import.meta.dirname, 'fixtures', `${net}.json`);

export function readFixture(net: string): Fixture {
  const fixture: Fixture = JSON.parse(readFileSync(fixtureFile(net), 'utf8'));
  return fixture;
}

export function fixtureOutput(values: Float32Array): FixtureOutput {
  const digits = (value: number) => Number(value.toPrecision(DIGITS));
  return {
    length: values.length,
    firstValues: Array.from(values.subarray(0, FIRST_VALUES), digits),
    sumOfSquares: digits(sumOfSquares(values)),
  };
}

export function sumOfSquares(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
