/** Lower-case words that exporters write for a flag, as JSON strings or in a CSV cell. */
const FLAG_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['t', true],
  ['yes', true],
  ['y', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['no', false],
  ['n', false],
  ['0', false],
]);

/** The flag that `source` spells: null when it is empty or says null, undefined when it cannot be read. */
export function readFlag(source: Uint8Array, from: number, to: number): boolean | null | undefined {
  if (from === to) return null;
  const first = (source[from] ?? 0) | 0x20;
  // The usual spellings are told by length and first letter before a string is made of anything.
  if (to - from === 5 && first === 0x66 && ((source[to - 1] ?? 0) | 0x20) === 0x65) return false;
  if (to - from === 4 && first === 0x74 && ((source[to - 1] ?? 0) | 0x20) === 0x65) return true;
  if (to - from > 5) return undefined;
  if (to - from === 1) {
    if (first === 0x79 || first === 0x74 || source[from] === 0x31) return true;
    if (first === 0x6e || first === 0x66 || source[from] === 0x30) return false;
  }
  const word = Buffer.from(source.subarray(from, to)).toString('latin1').trim().toLowerCase();
  return word === '' || word === 'null' ? null : FLAG_WORDS.get(word);
}

/**
 * Text of a field that some exporters write as text, others as a list of texts or of objects with a Name.
 * Undefined when there is nothing in it.
 */
export function joinedText(value: unknown): string | undefined {
  const parts = (Array.isArray(value) ? value : [value]).map(nameOf).filter((part) => part !== '');
  return parts.length === 0 ? undefined : parts.join(', ');
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  const name = Object.entries(value).find(([key]) => key.toLowerCase() === 'name')?.[1];
  return typeof name === 'string' || typeof name === 'number' ? String(name) : '';
}
