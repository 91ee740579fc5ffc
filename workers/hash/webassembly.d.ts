/** The few names of WebAssembly that the kernels use. Neither es2024 nor @types/node declares it, only the DOM does. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(pages: { readonly initial: number; readonly maximum: number; readonly shared: true });
    /** A SharedArrayBuffer where it was made to be shared. */
    readonly buffer: ArrayBuffer;
  }
  type ExportedFunction = (...values: number[]) => number;
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, ExportedFunction | Memory>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
