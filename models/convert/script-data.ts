import { unreadable } from './source-files.ts';

/**
 * The value that a bundled script of data exports, read without running it. nsfwjs ships its weights so: a UMD module
 * whose only content of its own is `module.exports=` and one literal, minified.
 */
export function exportedLiteral(script: Uint8Array): unknown {
  const text = Buffer.from(script).toString('utf8');
  const start = /\.exports=(?=["[]|\{\w+:)/.exec(text);
  if (start === null) throw unreadable('a script that exports a literal', `${text.length} characters without one`);
  return new LiteralReader(text, start.index + start[0].length).value();
}

/** A literal as a minifier writes it: no spaces, bare or quoted keys, `!0` for true, numbers such as `.5` and `1e-7`. */
class LiteralReader {
  readonly #text: string;
  #position: number;

  constructor(text: string, position: number) {
    this.#text = text;
    this.#position = position;
  }

  value(): unknown {
    switch (this.#text[this.#position]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  #object(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    this.#each('}', () => {
      const key = this.#text[this.#position] === '"' ? this.#string() : this.#matched(/[A-Za-z_$][\w$]*/y, 'a key');
      this.#matched(/:/y, 'a colon');
      entries.push([key, this.value()]);
    });
    return Object.fromEntries(entries);
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    this.#each(']', () => items.push(this.value()));
    return items;
  }

  #each(end: string, read: () => void): void {
    this.#position += 1;
    while (this.#text[this.#position] !== end) {
      read();
      if (this.#text[this.#position] === ',') this.#position += 1;
      else if (this.#text[this.#position] !== end) throw this.#unexpected(`a comma or ${end}`);
    }
    this.#position += 1;
  }

  #string(): string {
    const end = this.#text.indexOf('"', this.#position + 1);
    const content = this.#text.slice(this.#position + 1, end);
    if (end < 0 || content.includes('\\')) throw this.#unexpected('a string without escapes');
    this.#position = end + 1;
    return content;
  }

  #word(): unknown {
    const word = this.#matched(/!0|!1|null|-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/y, 'a literal');
    if (word === '!0') return true;
    if (word === '!1') return false;
    return word === 'null' ? null : Number(word);
  }

  #matched(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match === null) throw this.#unexpected(what);
    this.#position = pattern.lastIndex;
    return match[0];
  }

  #unexpected(what: string): Error {
    const received = this.#text.slice(this.#position, this.#position + 20);
    return unreadable(`${what} at character ${this.#position} of a script`, received);
  }
}
