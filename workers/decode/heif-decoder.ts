import loadLibHeif, { type LibHeif } from 'libheif-js/libheif-wasm/libheif-bundle.js';
import type { ReasonCode } from '../../schemas/outcome.ts';
import { type DecodeOptions, type DecodeResult, refuse, sizeRefusal } from './decoded-picture.ts';

/** Offset of `uint64_t max_image_size_pixels` in `struct heif_security_limits` (libheif/heif_security.h), behind a version byte and padding. */
const MAX_PIXELS_OFFSET = 8;
/** WebAssembly memory never shrinks: past this an instance is given up after its picture, and the next one starts small. */
const KEEP_HEAP_BYTES = 256 * 1024 * 1024;

const ERROR = { unsupportedFileType: 3, unsupportedFeature: 4, memory: 6 } as const;
const SUBERROR = {
  endOfData: 100,
  noItemData: 117,
  securityLimit: 1000,
  unsupportedCodec: 3000,
  unsupportedImageType: 3001,
} as const;

/** One instance a thread: this module is loaded once in each worker thread. */
let instance: LibHeif | undefined;

function libHeif(): LibHeif {
  instance ??= loadLibHeif({ print: () => {}, printErr: () => {} });
  return instance;
}

/** Loads the decoder (some 140 ms) to name it. */
export const heifDecoderName = (): string => `libheif-js ${libHeif().heif_get_version()}`;

/**
 * Decodes the primary picture of an HEIF file that is not AVIF, which for photographs means HEVC. The picture is turned as the container's
 * own transformations say (they are part of the picture, EXIF orientation is not); alpha is dropped.
 */
export function decodeHeif(bytes: Buffer, { budget }: Pick<DecodeOptions, 'budget'>): DecodeResult {
  const heif = libHeif();
  try {
    limitPixels(heif, budget.pixels);
    return decodeWith(heif, bytes, { budget });
  } catch (error) {
    // An aborted instance cannot be used again.
    instance = undefined;
    return refuse('corruptData', `libheif stopped: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    if (heif.HEAPU8.byteLength > KEEP_HEAP_BYTES) instance = undefined;
  }
}

function decodeWith(heif: LibHeif, bytes: Buffer, { budget }: Pick<DecodeOptions, 'budget'>): DecodeResult {
  const context = heif.heif_context_alloc();
  try {
    const parsed = heif.heif_context_read_from_memory(context, bytes);
    if (parsed.code.value !== 0) return refuseHeif(parsed, 'corruptHeader');
    const frames = Math.min(Math.max(heif.heif_context_get_number_of_top_level_images(context), 1), 1_000_000);
    const handle = heif.heif_js_context_get_primary_image_handle(context);
    if (handle.code !== undefined) return refuseHeif(handle, 'corruptHeader');
    try {
      const widthPixels = heif.heif_image_handle_get_width(handle);
      const heightPixels = heif.heif_image_handle_get_height(handle);
      const refusal = sizeRefusal(widthPixels, heightPixels, budget);
      if (refusal !== undefined) return refusal;
      const image = heif.heif_js_decode_image2(
        handle,
        heif.heif_colorspace.heif_colorspace_RGB,
        heif.heif_chroma.heif_chroma_interleaved_RGB,
      );
      if (image.code !== undefined) return refuseHeif(image, 'corruptData');
      try {
        const channel = image.channels.find(({ id }) => id === heif.heif_channel.heif_channel_interleaved);
        if (channel === undefined) return refuse('unsupportedVariant', 'libheif gave no interleaved pixels');
        return {
          kind: 'decoded',
          pixels: withoutPadding(channel),
          decodedWidthPixels: channel.width,
          decodedHeightPixels: channel.height,
          channels: 3,
          widthPixels: channel.width,
          heightPixels: channel.height,
          reductionFactor: 1,
          frames,
          decoder: heifDecoderName(),
          damage: null,
        };
      } finally {
        heif.heif_image_release(image.image);
      }
    } finally {
      heif.heif_image_handle_release(handle);
    }
  } finally {
    heif.heif_context_free(context);
  }
}

/** Copies the rows out of WebAssembly memory, where each may be padded. */
function withoutPadding(channel: { width: number; height: number; stride: number; data: Uint8Array }): Uint8Array {
  const rowBytes = 3 * channel.width;
  const pixels = new Uint8Array(rowBytes * channel.height);
  for (let row = 0; row < channel.height; row++)
    pixels.set(channel.data.subarray(row * channel.stride, row * channel.stride + rowBytes), row * rowBytes);
  return pixels;
}

/** What a tile or grid claims is refused inside libheif, before it allocates. */
function limitPixels(heif: LibHeif, pixels: number): void {
  const at = heif._heif_get_global_security_limits() + MAX_PIXELS_OFFSET;
  new DataView(heif.HEAPU8.buffer).setBigUint64(at, BigInt(pixels), true);
}

interface HeifFault {
  readonly code: { readonly value: number };
  readonly subcode: { readonly value: number };
  readonly message: string;
}

function refuseHeif({ code, subcode, message }: HeifFault, otherwise: ReasonCode): DecodeResult {
  return refuse(reasonOfHeif(code.value, subcode.value, otherwise), `libheif: ${message}`);
}

/** Numbers of libheif's `enum heif_error_code` and `enum heif_suberror_code`. */
export function reasonOfHeif(code: number, subcode: number, otherwise: ReasonCode): ReasonCode {
  if (subcode === SUBERROR.securityLimit) return 'pixelLimit';
  if (code === ERROR.memory) return 'memoryLimit';
  if (subcode === SUBERROR.endOfData || subcode === SUBERROR.noItemData) return 'truncated';
  if (code === ERROR.unsupportedFeature || code === ERROR.unsupportedFileType) return 'unsupportedVariant';
  if (subcode === SUBERROR.unsupportedCodec || subcode === SUBERROR.unsupportedImageType) return 'unsupportedVariant';
  return otherwise;
}
