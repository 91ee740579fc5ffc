/** The part of libheif-js 1.23 that is used here; the package has no types for its self-contained WebAssembly bundle. */
declare module 'libheif-js/libheif-wasm/libheif-bundle.js' {
  /** An opaque value of the WebAssembly side. */
  type Opaque = { readonly __libheif: never };
  interface HeifError {
    readonly code: { readonly value: number };
    readonly subcode: { readonly value: number };
    readonly message: string;
  }
  interface HeifChannel {
    readonly id: Opaque;
    readonly width: number;
    readonly height: number;
    /** Bytes of a row. */
    readonly stride: number;
    /** A view of WebAssembly memory, valid until the image is released or anything else is allocated. */
    readonly data: Uint8Array;
  }
  interface HeifImage {
    readonly code?: undefined;
    readonly image: Opaque;
    readonly channels: readonly HeifChannel[];
  }
  interface HeifHandle {
    readonly code?: undefined;
    readonly __handle: never;
  }
  export interface LibHeif {
    readonly HEAPU8: Uint8Array;
    readonly heif_colorspace: { readonly heif_colorspace_RGB: Opaque };
    readonly heif_chroma: { readonly heif_chroma_interleaved_RGB: Opaque };
    readonly heif_channel: { readonly heif_channel_interleaved: Opaque };
    heif_get_version(): string;
    heif_context_alloc(): Opaque;
    heif_context_free(context: Opaque): void;
    heif_context_read_from_memory(context: Opaque, bytes: Uint8Array): HeifError;
    heif_context_get_number_of_top_level_images(context: Opaque): number;
    heif_js_context_get_primary_image_handle(context: Opaque): HeifHandle | HeifError;
    heif_image_handle_get_width(handle: HeifHandle): number;
    heif_image_handle_get_height(handle: HeifHandle): number;
    heif_image_handle_release(handle: HeifHandle): void;
    heif_js_decode_image2(handle: HeifHandle, colourSpace: Opaque, chroma: Opaque): HeifImage | HeifError;
    heif_image_release(image: Opaque): void;
    /** Address of `struct heif_security_limits`. */
    _heif_get_global_security_limits(): number;
  }
  export default function load(options?: { print?: () => void; printErr?: () => void }): LibHeif;
}
