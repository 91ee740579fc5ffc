import { notExamined, type SniffedType } from './type-tables.ts';

const SAMPLE_BYTES = 65_536;

/** Text, HTML, XML and SVG. Called last: only what has no signature of its own can be text. */
export function sniffText(head: Buffer): SniffedType | undefined {
  if (head.length === 0) return undefined;
  const text = decodeText(head.subarray(0, SAMPLE_BYTES));
  if (text === undefined) return undefined;
  const start = text.trimStart().slice(0, SAMPLE_BYTES);
  if (!start.startsWith('<')) return notExamined('text/plain', 'text');
  const lower = start.toLowerCase();
  if (lower.startsWith('<!doctype html') || lower.startsWith('<html')) return notExamined('text/html', 'text');
  // The root element stands behind a prologue of unlimited form, so its name is looked for anywhere.
  if (/<(?:[a-z_][\w.-]{0,40}:)?svg[\s/>]/.test(lower)) return notExamined('image/svg+xml', 'vectorGraphic');
  if (lower.startsWith('<?xml')) return notExamined('application/xml', 'text');
  return notExamined(/<(?:body|head|script|div|p|a)[\s>]/.test(lower) ? 'text/html' : 'text/plain', 'text');
}

/** The sample as text, or undefined when it is none in UTF-8, UTF-16 with a byte-order mark, or a single-byte code. */
function decodeText(sample: Buffer): string | undefined {
  if (sample.length >= 2 && sample[0] === 0xff && sample[1] === 0xfe) return sample.toString('utf16le', 2);
  if (sample.length >= 2 && sample[0] === 0xfe && sample[1] === 0xff)
    return new TextDecoder('utf-16be').decode(sample.subarray(2));
  let high = 0;
  for (const byte of sample) {
    // Tab, line feed, form feed, carriage return and escape occur in text; the other controls do not.
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 27) || byte === 0x7f)
      return undefined;
    if (byte >= 0x80) high += 1;
  }
  if (high === 0) return sample.toString('latin1');
  const utf8 = new TextDecoder('utf-8', { fatal: false }).decode(sample);
  // A multi-byte sequence cut by the end of the sample is no fault.
  const faults = utf8.slice(0, -1).split('\ufffd').length - 1;
  if (faults === 0) return utf8;
  // A single-byte code is believed where such bytes are few and there is enough text to judge by.
  return sample.length >= 32 && high * 3 < sample.length ? sample.toString('latin1') : undefined;
}
