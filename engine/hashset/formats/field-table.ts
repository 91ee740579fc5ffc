/**
 * Finds which of a few names a member's name is, without making a string of it. Letter case does not matter: exporters vary
 * (one writes `sourceID`). -1 for any other name.
 */
export class FieldTable {
  readonly #byLength: { readonly index: number; readonly bytes: Uint8Array }[][] = [];
  readonly #quoted: Uint8Array[];
  /** Which name came after which the last time, by index + 1. Only a guess, so that all readers may share it. */
  readonly #following: Int16Array;
  #last = 0;

  constructor(names: readonly string[]) {
    this.#quoted = names.map((name) => Buffer.from(`"${name}"`, 'latin1'));
    this.#following = new Int16Array(names.length + 1);
    names.forEach((name, index) => {
      const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0) | 0x20);
      const sameLength = this.#byLength[name.length] ?? [];
      sameLength.push({ index, bytes });
      this.#byLength[name.length] = sameLength;
    });
  }

  find(source: Uint8Array, from: number, to: number): number {
    const index = this.#search(source, from, to);
    this.#following[this.#last] = index + 1;
    this.#last = index + 1;
    return index;
  }

  /**
   * The name if it stands in quotes at `at` and came after the previous one the last time too: exporters write the members of all
   * their objects in one order. -1 where `find` has to look.
   */
  findFollowing(source: Uint8Array, at: number): number {
    const guess = this.#following[this.#last] ?? 0;
    const quoted = this.#quoted[guess - 1];
    if (quoted === undefined) return -1;
    for (let index = 0; index < quoted.length; index++) if (source[at + index] !== quoted[index]) return -1;
    this.#last = guess;
    return guess - 1;
  }

  /** Length of a name with its quotes. */
  quotedBytes(index: number): number {
    return this.#quoted[index]?.length ?? 0;
  }

  #search(source: Uint8Array, from: number, to: number): number {
    const candidates = this.#byLength[to - from];
    if (candidates === undefined) return -1;
    next: for (const { index, bytes } of candidates) {
      for (let at = 0; at < bytes.length; at++) if (((source[from + at] ?? 0) | 0x20) !== bytes[at]) continue next;
      return index;
    }
    return -1;
  }
}
