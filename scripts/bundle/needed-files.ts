/** Links and caches that npm makes and nobody needs to run: everything in the bundle is a plain file with a checksum. */
const LEFT_OUT = /(^|\/)node_modules\/(\.bin|\.cache|\.package-lock\.json)(\/|$)/;
/** onnxruntime-node brings its native parts for every platform at once, 290 MB of which a bundle needs the third of one. */
const NATIVE_OF_PLATFORM = /(^|\/)node_modules\/onnxruntime-node\/bin\/napi-v\d+\/([^/]+)\/([^/]+)\//;

/** Whether a file below the root, with forward slashes, belongs into the bundle of one platform. */
export function isNeeded(name: string, platform: NodeJS.Platform, architecture: string): boolean {
  if (LEFT_OUT.test(name)) return false;
  const native = NATIVE_OF_PLATFORM.exec(name);
  return native === null || (native[2] === platform && native[3] === architecture);
}
