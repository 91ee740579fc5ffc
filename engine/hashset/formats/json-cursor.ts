import { type ByteWindow, malformed, truncated } from './byte-window.ts';

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/** Deeper nesting than any exporter writes; a limit, so that a file of brackets cannot exhaust the stack. */
const MAX_DEPTH = 64;

/** Thrown when the window ends within a value and more bytes may come. No Error: it is raised once per chunk and caught by the parser. */
export const MORE_BYTES_NEEDED = Symbol('more bytes needed');

const ESCAPED = new Uint8Array(256);
for (const character of '"\\/bfnrt') ESCAPED[character.charCodeAt(0)] = 1;
const HEX_DIGIT = new Uint8Array(256);
for (const character of '0123456789abcdefABCDEF') HEX_DIGIT[character.charCodeAt(0)] = 1;

/**
 * Walks JSON (RFC 8259) in the bytes of a window, strictly, without building values. Every method starts at `position` and leaves it
 * after what it read. A byte that cannot be there is HW_SET_DAMAGED; the end of a window that is not final is MORE_BYTES_NEEDED.
 */
export class JsonCursor {
  bytes: Uint8Array = new Uint8Array(1);
  position = 0;
  /** The content of the string read last: between its quotes, escapes unresolved. */
  spanStart = 0;
  spanEnd = 0;
  spanEscaped = false;
  readonly #format: string;
  #window: ByteWindow | undefined;

  constructor(format: string) {
    this.#format = format;
  }

  attach(window: ByteWindow): void {
    this.#window = window;
    this.bytes = window.bytes;
    this.position = window.start;
  }

  /** Ends the reading at a byte that does not fit. */
  fail(position: number): never {
    const window = this.#window;
    const end = window?.end ?? 0;
    const offset = window?.offsetOf(Math.min(position, end)) ?? position;
    if (position < end) {
      const byte = this.bytes[position] ?? 0;
      throw malformed(this.#format, offset, `an unexpected byte 0x${byte.toString(16).padStart(2, '0')}`);
    }
    if (window?.final === true) throw truncated(this.#format, offset);
    throw MORE_BYTES_NEEDED;
  }

  failWith(position: number, found: string): never {
    throw malformed(this.#format, this.#window?.offsetOf(position) ?? position, found);
  }

  atEnd(): boolean {
    return this.position >= (this.#window?.end ?? 0);
  }

  /** The first byte that is no white space; 0 at the end of the window. */
  skipSpace(): number {
    const bytes = this.bytes;
    let position = this.position;
    let byte = bytes[position] ?? 0;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++position] ?? 0;
    this.position = position;
    return byte;
  }

  /** Takes the colon after a member's name; the first byte of its value. */
  valueAfterColon(): number {
    if (this.skipSpace() !== COLON) this.fail(this.position);
    this.position++;
    return this.skipSpace();
  }

  /** Takes a string whose opening quote is at `position`; its content is the span. */
  string(): void {
    const bytes = this.bytes;
    let position = this.position + 1;
    this.spanStart = position;
    this.spanEscaped = false;
    for (;;) {
      const byte = bytes[position] ?? 0;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.spanEscaped = true;
        position = this.#escape(position + 1);
      } else if (byte < 0x20) {
        this.fail(position);
      } else {
        position++;
      }
    }
    this.spanEnd = position;
    this.position = position + 1;
  }

  /** The string read last, escapes resolved. */
  spanText(): string {
    const text = Buffer.from(this.bytes.subarray(this.spanStart, this.spanEnd)).toString('utf8');
    if (!this.spanEscaped) return text;
    const value: unknown = JSON.parse(`"${text}"`);
    return typeof value === 'string' ? value : text;
  }

  /** The first byte after the comma or the closing byte of an object or array: true when another element follows. */
  another(close: number): boolean {
    const byte = this.skipSpace();
    if (byte !== COMMA && byte !== close) this.fail(this.position);
    this.position++;
    return byte === COMMA;
  }

  /** Takes a number, true, false or null; its first byte is at `position`. The span is the token. */
  scalar(): void {
    const first = this.bytes[this.position] ?? 0;
    this.spanStart = this.position;
    this.spanEscaped = false;
    if (first === 0x74) this.#literal('true');
    else if (first === 0x66) this.#literal('false');
    else if (first === 0x6e) this.#literal('null');
    else this.#number();
    this.spanEnd = this.position;
  }

  /** Takes any value, checking that it is well-formed. */
  skipValue(depth = 0): void {
    const first = this.skipSpace();
    if (first === QUOTE) this.string();
    else if (first === OPEN_BRACE) this.#skipObject(depth + 1);
    else if (first === OPEN_BRACKET) this.#skipArray(depth + 1);
    else this.scalar();
  }

  /** Takes any value and builds it; for what is small and rare. */
  value(): unknown {
    this.skipSpace();
    const start = this.position;
    this.skipValue();
    return JSON.parse(Buffer.from(this.bytes.subarray(start, this.position)).toString('utf8'));
  }

  #skipObject(depth: number): void {
    this.#checkDepth(depth);
    this.position++;
    if (this.skipSpace() === CLOSE_BRACE) {
      this.position++;
      return;
    }
    do {
      if (this.skipSpace() !== QUOTE) this.fail(this.position);
      this.string();
      this.valueAfterColon();
      this.skipValue(depth);
    } while (this.another(CLOSE_BRACE));
  }

  #skipArray(depth: number): void {
    this.#checkDepth(depth);
    this.position++;
    if (this.skipSpace() === CLOSE_BRACKET) {
      this.position++;
      return;
    }
    do this.skipValue(depth);
    while (this.another(CLOSE_BRACKET));
  }

  #checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) this.failWith(this.position, `values nested deeper than ${MAX_DEPTH}`);
  }

  /** Checks the escape whose first byte after the backslash is at `position`; the position after it. */
  #escape(position: number): number {
    const byte = this.bytes[position] ?? 0;
    if (ESCAPED[byte] === 1) return position + 1;
    if (byte !== LOWER_U) this.fail(position);
    for (let digit = position + 1; digit <= position + 4; digit++) {
      if (HEX_DIGIT[this.bytes[digit] ?? 0] !== 1) this.fail(digit);
    }
    return position + 5;
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.position] !== word.charCodeAt(index)) this.fail(this.position);
      this.position++;
    }
  }

  #number(): void {
    const bytes = this.bytes;
    if (bytes[this.position] === 0x2d) this.position++;
    if (bytes[this.position] === 0x30) this.position++;
    else this.#digits();
    if (bytes[this.position] === 0x2e) {
      this.position++;
      this.#digits();
    }
    if (((bytes[this.position] ?? 0) | 0x20) === 0x65) {
      this.position++;
      const sign = bytes[this.position];
      if (sign === 0x2b || sign === 0x2d) this.position++;
      this.#digits();
    }
    // At the end of the window the number may go on with the next bytes.
    if (this.atEnd()) this.fail(this.position);
  }

  #digits(): void {
    const bytes = this.bytes;
    let position = this.position;
    let byte = bytes[position] ?? 0;
    if (byte < 0x30 || byte > 0x39) this.fail(position);
    while (byte >= 0x30 && byte <= 0x39) byte = bytes[++position] ?? 0;
    this.position = position;
  }
}
