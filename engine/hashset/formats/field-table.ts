/**
 * Finds which of a few names a member's name is, without making a string of it. Letter case does not matter: exporters vary
 * (one writes `sourceID`). -1 for any other name.
 */
export class FieldTable {
  readonly #byLength: { readonly index: number; readonly bytes: Uint8Array }[][] = [];

  constructor(names: readonly string[]) {
    names.forEach((name, index) => {
      const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0) | 0x20);
      const sameLength = this.#byLength[name.length] ?? [];
      sameLength.push({ index, bytes });
      this.#byLength[name.length] = sameLength;
    });
  }

  find(source: Uint8Array, from: number, to: number): number {
    const candidates = this.#byLength[to - from];
    if (candidates === undefined) return -1;
    next: for (const { index, bytes } of candidates) {
      for (let at = 0; at < bytes.length; at++) if (((source[from + at] ?? 0) | 0x20) !== bytes[at]) continue next;
      return index;
    }
    return -1;
  }
}
