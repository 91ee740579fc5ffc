/** What this kernel uses of WebAssembly beyond the names that workers/hash/webassembly.d.ts declares. */
declare namespace WebAssembly {
  interface Memory {
    grow(pages: number): number;
  }
}
