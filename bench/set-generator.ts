/**
 * Makes hash sets of any size for the import benchmark: seeded, streaming, the same bytes for the same options on every machine.
 * Digests are random, so nothing real can match them.
 *
 *   node bin/launch.cjs bench/set-generator.ts --format vics --bytes 100MB --seed 1 --out set.json
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

export const GENERATED_FORMATS = [
  'vics',
  'vics-photodna',
  'vics-1.3',
  'csv',
  'md5',
  'sha1',
  'sha256',
  'md5sum',
  'pdq',
] as const;
export type GeneratedFormat = (typeof GENERATED_FORMATS)[number];

export type GeneratedSet = { readonly format: GeneratedFormat; readonly seed: number } & (
  | { readonly records: number; readonly bytes?: undefined }
  /** The set ends with the first record that reaches this size. */
  | { readonly bytes: number; readonly records?: undefined }
);

interface Layout {
  readonly head: string;
  record(random: Random, index: number): string;
  readonly tail: string;
}

const BUFFER_CHARACTERS = 256 * 1024;

/** Streams a hash set in buffers of about 256 KB. */
export async function* generateSet(set: GeneratedSet): AsyncGenerator<Buffer, void, undefined> {
  const layout = LAYOUTS[set.format];
  const random = new Random(set.seed);
  let pending = layout.head;
  let written = 0;
  const more = (index: number): boolean =>
    set.bytes === undefined ? index < set.records : written + pending.length + layout.tail.length < set.bytes;
  for (let index = 0; more(index); index++) {
    pending += layout.record(random, index);
    if (pending.length < BUFFER_CHARACTERS) continue;
    yield Buffer.from(pending, 'latin1');
    written += pending.length;
    pending = '';
  }
  yield Buffer.from(pending + layout.tail, 'latin1');
}

/** xorshift128 (Marsaglia, "Xorshift RNGs", 2003), seeded through a linear congruential step. */
class Random {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    let value = seed >>> 0;
    for (let index = 0; index < 4; index++) {
      value = (Math.imul(value, 1664525) + 1013904223) >>> 0;
      this.#state[index] = value | 1;
    }
    for (let round = 0; round < 16; round++) this.next();
  }

  next(): number {
    const state = this.#state;
    let t = state[3] ?? 0;
    const s = state[0] ?? 0;
    state[3] = state[2] ?? 0;
    state[2] = state[1] ?? 0;
    state[1] = s;
    t ^= t << 11;
    t ^= t >>> 8;
    state[0] = t ^ s ^ (s >>> 19);
    return state[0] ?? 0;
  }

  hex(byteCount: number, digits: readonly string[] = LOWER): string {
    let text = '';
    for (let done = 0; done < byteCount; done += 4) {
      const word = this.next();
      text += (digits[word >>> 16] ?? '') + (digits[word & 0xffff] ?? '');
    }
    return text;
  }
}

const LOWER: readonly string[] = Array.from({ length: 65536 }, (_, value) => value.toString(16).padStart(4, '0'));
const UPPER: readonly string[] = LOWER.map((digits) => digits.toUpperCase());

const flag = (random: Random): string => ((random.next() & 1) === 1 ? 'true' : 'false');

/** About 210 bytes bare, as portal distributions are; one record in ten belongs to one of a thousand series. */
function vicsMedia(random: Random, index: number, more: string): string {
  const series =
    index % 10 === 0 ? `,"Series":"SYNTHETIC-${random.next() % 1000}","IsDistributed":"${flag(random)}"` : '';
  return `${index === 0 ? '' : ','}{"MediaID":${index},"Category":${random.next() % 6},"MD5":"${random.hex(16, UPPER)}","SHA1":"${random.hex(20, UPPER)}","MediaSize":${random.next() % 5_000_000},"VictimIdentified":"${flag(random)}","OffenderIdentified":"${flag(random)}"${series}${more}}`;
}

const URL_20 = 'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media';
const URL_13 = 'http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media';
const lines = (record: (random: Random, index: number) => string): Layout => ({ head: '', record, tail: '' });

const LAYOUTS: Readonly<Record<GeneratedFormat, Layout>> = {
  vics: {
    head: `{"@odata.context":"${URL_20}","value":[`,
    record: (random, index) => vicsMedia(random, index, ''),
    tail: ']}',
  },
  'vics-photodna': {
    head: `{"@odata.context":"${URL_20}","value":[`,
    // 144 random bytes: the room a PhotoDNA value takes, not one.
    record: (random, index) =>
      vicsMedia(random, index, `,"PhotoDNA":"${Buffer.from(random.hex(144), 'hex').toString('base64')}"`),
    tail: ']}',
  },
  'vics-1.3': {
    head: `{\n  "odata.metadata": "${URL_13}",\n  "value": [`,
    record: (random, index) =>
      vicsMedia(random, index, `,"AlternativeHashes":[{"MD5":"","HashName":"SHA256","HashValue":"${random.hex(32)}"}]`),
    tail: '\n  ]\n}\n',
  },
  csv: {
    head: 'MD5;SHA1;Category;Series name;Is distributed\r\n',
    record: (random) =>
      `${random.hex(16)};${random.hex(20)};${random.next() % 6};SYNTHETIC-${random.next() % 1000};${(random.next() & 1) === 1 ? 'Y' : 'N'}\r\n`,
    tail: '',
  },
  md5: lines((random) => `${random.hex(16)}\n`),
  sha1: lines((random) => `${random.hex(20, UPPER)}\r\n`),
  sha256: lines((random) => `${random.hex(32)}\n`),
  md5sum: lines((random, index) => `${random.hex(16)}  IMG_${index}.JPG\n`),
  pdq: lines((random) => `${random.hex(32)},${random.next() % 101}\n`),
};

const UNITS: Readonly<Record<string, number>> = { '': 1, KB: 1e3, MB: 1e6, GB: 1e9 };

async function main(args: string[]): Promise<void> {
  const options = {
    format: { type: 'string' },
    bytes: { type: 'string' },
    records: { type: 'string' },
    seed: { type: 'string' },
    out: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args, options });
  const format = GENERATED_FORMATS.find((known) => known === values.format);
  const [, number, unit] = /^(\d+)(KB|MB|GB)?$/i.exec(values.bytes ?? values.records ?? '') ?? [];
  if (format === undefined || number === undefined) {
    throw new Error(
      `usage: set-generator.ts --format ${GENERATED_FORMATS.join('|')} --bytes N[KB|MB|GB] | --records N [--seed N] [--out FILE]`,
    );
  }
  const amount = Number(number) * (UNITS[(unit ?? '').toUpperCase()] ?? 1);
  const seed = Number(values.seed ?? 1);
  const set: GeneratedSet =
    values.bytes === undefined ? { format, seed, records: amount } : { format, seed, bytes: amount };
  const output = values.out === undefined ? process.stdout : createWriteStream(values.out);
  await pipeline(generateSet(set), output);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));
