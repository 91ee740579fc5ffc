import { createHmac, randomBytes } from 'node:crypto';
import { commonCamera } from './common-cameras.ts';
import { neutralise } from './neutralise.ts';

/** Hexadecimal digits of a token: 24 bits, enough to tell the rows of one page apart by eye. */
const TOKEN_DIGITS = 6;
/** Folders shown of a deep path, from each end. */
const FOLDERS_FROM_EACH_END = 3;

/** Extensions say what a file claims to be. Only these are shown: anything may stand after the last dot of a name. */
const SHOWN_EXTENSIONS = new Set(
  (
    'jpg jpeg jpe jfif png apng webp gif tif tiff avif heic heif bmp dib svg ico psd jxl jp2 dng cr2 cr3 nef arw orf rw2 raf ' +
    'mp4 m4v mov avi mkv webm wmv flv 3gp mpg mpeg mts mp3 wav m4a aac flac ogg opus pdf doc docx xls xlsx ppt pptx odt ods odp rtf txt csv ' +
    'json xml html htm md log eml msg zip tar gz tgz 7z rar bz2 xz zst iso dmg e01 ex01 aff4 dd raw img vhd vhdx vmdk exe dll bin dat db sqlite ' +
    'apk ipa jar js py sh bat ini cfg plist url lnk tmp bak part crdownload'
  ).split(' '),
);

export type MaskedKind = 'series' | 'tag' | 'comment' | 'text';

/**
 * What stands in a report in place of words that can harm whoever reads them. Either way the text is printable and harmless
 * to a terminal and to HTML's parser is a matter of escaping, which is done elsewhere.
 */
export interface Mask {
  readonly revealed: boolean;
  /** `/home/kim/x/photo.jpg` as `/[1b9a40]/[c03f77]/[5e1d02]/[9a7c31].jpg`: depth, archive boundaries and a common extension are kept. */
  path(text: string): string;
  /** A series name as `series 3fa91c`; the same text has the same token throughout one report. */
  words(kind: MaskedKind, text: string): string;
  /** Make and model of widespread cameras as they are; anything else as `camera 77be02`. */
  camera(make: string, model: string): string;
}

/** A key for the tokens of one report: keep it out of the report, or a guess at a name can be confirmed from its token. */
export function newMaskKey(): string {
  return randomBytes(16).toString('hex');
}

export function createMask(options: { readonly reveal: boolean; readonly key: string }): Mask {
  if (options.reveal) {
    return {
      revealed: true,
      path: (text) => neutralise(text),
      words: (_kind, text) => neutralise(text),
      camera: (make, model) => neutralise(joinCamera(make, model)),
    };
  }
  const token = (text: string): string =>
    createHmac('sha256', options.key).update(text.toWellFormed()).digest('hex').slice(0, TOKEN_DIGITS);
  return {
    revealed: false,
    path: (text) => maskPath(text, token),
    words: (kind, text) => `${kind} ${token(text)}`,
    camera: (make, model) => commonCamera(make, model) ?? `camera ${token(joinCamera(make, model))}`,
  };
}

function maskPath(text: string, token: (text: string) => string): string {
  const parts = text.split(/(!?[/\\])/);
  const masked: string[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const name = parts[index] ?? '';
    const separator = (parts[index + 1] ?? '').replace('\\', '/');
    const isFile = separator === '' || separator.startsWith('!');
    masked.push(maskName(name, isFile, token) + separator);
  }
  if (masked.length <= FOLDERS_FROM_EACH_END * 2 + 1) return masked.join('');
  const left = masked.slice(0, FOLDERS_FROM_EACH_END);
  const right = masked.slice(-FOLDERS_FROM_EACH_END);
  return `${left.join('')}(${masked.length - left.length - right.length} more)/${right.join('')}`;
}

function maskName(name: string, isFile: boolean, token: (text: string) => string): string {
  if (name === '' || name === '.' || name === '..') return name;
  const dot = name.lastIndexOf('.');
  const extension = isFile && dot > 0 ? name.slice(dot + 1).toLowerCase() : '';
  return `[${token(name)}]${SHOWN_EXTENSIONS.has(extension) ? `.${extension}` : ''}`;
}

function joinCamera(make: string, model: string): string {
  return model.toLowerCase().startsWith(make.toLowerCase()) ? model : `${make} ${model}`.trim();
}
