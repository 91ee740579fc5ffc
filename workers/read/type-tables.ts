import type { ReasonCode } from '../../schemas/outcome.ts';

/** What is done with a file of a type: decode it, hand it to the unpack host, or record it with a reason. */
export type ExaminationClass =
  | { readonly kind: 'picture'; readonly decoder: PictureDecoder }
  | { readonly kind: 'archive'; readonly format: ArchiveFormat }
  | { readonly kind: 'notExamined'; readonly reason: ReasonCode };
export type PictureDecoder = 'sharp' | 'heif' | 'bmp';
export type ArchiveFormat = 'zip' | 'tar' | 'gzip';

export interface SniffedType {
  /** IANA media type where there is one, `application/octet-stream` where nothing is known. */
  readonly mediaType: string;
  readonly class: ExaminationClass;
}

export const picture = (mediaType: string, decoder: PictureDecoder): SniffedType => ({
  mediaType,
  class: { kind: 'picture', decoder },
});
export const archive = (mediaType: string, format: ArchiveFormat): SniffedType => ({
  mediaType,
  class: { kind: 'archive', format },
});
export const notExamined = (mediaType: string, reason: ReasonCode): SniffedType => ({
  mediaType,
  class: { kind: 'notExamined', reason },
});

export const UNKNOWN_TYPE: SniffedType = notExamined('application/octet-stream', 'unknownType');

interface Magic {
  readonly offset: number;
  /** Compared byte for byte, written as Latin-1. */
  readonly bytes: Buffer;
  readonly type: SniffedType;
}

const magic = (offset: number, bytes: string, type: SniffedType): Magic => ({
  offset,
  bytes: Buffer.from(bytes, 'latin1'),
  type,
});

/**
 * Signatures that decide by themselves, first match wins. Types whose signature is shared with others (TIFF and its RAW
 * relatives, ISO media files, RIFF, zip, XML) are told apart in code of their own.
 * Sources: the format specifications, and the list of magic numbers of the IANA media type registrations.
 */
export const MAGICS: readonly Magic[] = [
  // Pictures. Two bytes suffice for JPEG because libjpeg, too, looks at no more before it reads markers.
  magic(0, '\xff\xd8', picture('image/jpeg', 'sharp')),
  magic(0, 'GIF8', picture('image/gif', 'sharp')),
  // Pictures without a decoder here
  magic(0, '8BPS', notExamined('image/vnd.adobe.photoshop', 'otherPicture')),
  magic(0, '\0\0\0\x0cjP  \r\n\x87\n', notExamined('image/jp2', 'otherPicture')),
  magic(0, '\xff\x4f\xff\x51', notExamined('image/x-jp2-codestream', 'otherPicture')),
  magic(0, '\0\0\0\x0cJXL \r\n\x87\n', notExamined('image/jxl', 'otherPicture')),
  magic(0, '\xff\x0a', notExamined('image/jxl', 'otherPicture')),
  magic(0, 'v/1\x01', notExamined('image/x-exr', 'otherPicture')),
  magic(0, '#?RADIANCE', notExamined('image/vnd.radiance', 'otherPicture')),
  magic(0, 'II\xbc\x01', notExamined('image/jxr', 'otherPicture')),
  magic(0, 'gimp xcf', notExamined('image/x-xcf', 'otherPicture')),
  magic(0, 'FLIF', notExamined('image/flif', 'otherPicture')),
  magic(0, 'BPG\xfb', notExamined('image/bpg', 'otherPicture')),
  magic(0, 'qoif', notExamined('image/qoi', 'otherPicture')),
  magic(0, 'DDS ', notExamined('image/vnd-ms.dds', 'otherPicture')),
  magic(0, '\xab\x4b\x54\x58', notExamined('image/ktx', 'otherPicture')),
  magic(128, 'DICM', notExamined('application/dicom', 'otherPicture')),
  // RAW photographs that do not look like TIFF
  magic(0, 'FUJIFILMCCD-RAW', notExamined('image/x-fuji-raf', 'rawPhoto')),
  magic(0, 'IIU\0', notExamined('image/x-panasonic-rw2', 'rawPhoto')),
  magic(0, 'IIRO', notExamined('image/x-olympus-orf', 'rawPhoto')),
  magic(0, 'IIRS', notExamined('image/x-olympus-orf', 'rawPhoto')),
  magic(0, 'MMOR', notExamined('image/x-olympus-orf', 'rawPhoto')),
  magic(0, '\0MRM', notExamined('image/x-minolta-mrw', 'rawPhoto')),
  magic(0, 'FOVb', notExamined('image/x-sigma-x3f', 'rawPhoto')),
  magic(6, 'HEAPCCDR', notExamined('image/x-canon-crw', 'rawPhoto')),
  // Vector graphics
  magic(0, '\xd7\xcd\xc6\x9a', notExamined('image/wmf', 'vectorGraphic')),
  magic(40, ' EMF', notExamined('image/emf', 'vectorGraphic')),
  magic(0, '\xc5\xd0\xd3\xc6', notExamined('application/postscript', 'vectorGraphic')),
  magic(0, '%!PS', notExamined('application/postscript', 'vectorGraphic')),
  // Video
  magic(0, '\x1aE\xdf\xa3', notExamined('video/matroska', 'video')),
  magic(0, 'FLV\x01', notExamined('video/x-flv', 'video')),
  magic(0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11', notExamined('video/x-ms-asf', 'video')),
  magic(0, '\0\0\x01\xba', notExamined('video/mpeg', 'video')),
  magic(0, '\0\0\x01\xb3', notExamined('video/mpeg', 'video')),
  magic(0, '.RMF', notExamined('application/vnd.rn-realmedia', 'video')),
  magic(0, 'FWS', notExamined('application/vnd.adobe.flash.movie', 'video')),
  magic(0, 'CWS', notExamined('application/vnd.adobe.flash.movie', 'video')),
  magic(0, 'ZWS', notExamined('application/vnd.adobe.flash.movie', 'video')),
  // Audio
  magic(0, 'ID3', notExamined('audio/mpeg', 'audio')),
  magic(0, 'OggS', notExamined('audio/ogg', 'audio')),
  magic(0, 'fLaC', notExamined('audio/flac', 'audio')),
  magic(0, 'MThd', notExamined('audio/midi', 'audio')),
  magic(0, '#!AMR', notExamined('audio/AMR', 'audio')),
  magic(0, 'caff\0', notExamined('audio/x-caf', 'audio')),
  magic(0, '.snd', notExamined('audio/basic', 'audio')),
  magic(0, '\xff\xfb', notExamined('audio/mpeg', 'audio')),
  magic(0, '\xff\xf3', notExamined('audio/mpeg', 'audio')),
  magic(0, '\xff\xf2', notExamined('audio/mpeg', 'audio')),
  magic(0, '\xff\xf1', notExamined('audio/aac', 'audio')),
  magic(0, '\xff\xf9', notExamined('audio/aac', 'audio')),
  // Documents and databases
  magic(0, '%PDF-', notExamined('application/pdf', 'document')),
  magic(0, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', notExamined('application/x-ole-storage', 'document')),
  magic(0, '{\\rtf', notExamined('application/rtf', 'document')),
  magic(0, 'AT&TFORM', notExamined('image/vnd.djvu', 'document')),
  magic(0, 'SQLite format 3\0', notExamined('application/vnd.sqlite3', 'document')),
  magic(0, '!BDN', notExamined('application/vnd.ms-outlook', 'document')),
  magic(4, 'Standard Jet DB', notExamined('application/vnd.ms-access', 'document')),
  magic(4, 'Standard ACE DB', notExamined('application/vnd.ms-access', 'document')),
  magic(60, 'BOOKMOBI', notExamined('application/vnd.amazon.mobi8-ebook', 'document')),
  // Windows keeps small pictures of folders it showed in these; they hold pictures, so the reason is that of an archive.
  magic(0, 'CMMM', notExamined('application/x-windows-thumbcache', 'otherArchive')),
  // Archives that are not unpacked
  magic(0, "7z\xbc\xaf'\x1c", notExamined('application/x-7z-compressed', 'otherArchive')),
  magic(0, 'Rar!\x1a\x07', notExamined('application/vnd.rar', 'otherArchive')),
  magic(0, '\xfd7zXZ\0', notExamined('application/x-xz', 'otherArchive')),
  magic(0, 'BZh', notExamined('application/x-bzip2', 'otherArchive')),
  magic(0, '\x28\xb5\x2f\xfd', notExamined('application/zstd', 'otherArchive')),
  magic(0, '\x04\x22\x4d\x18', notExamined('application/x-lz4', 'otherArchive')),
  magic(0, 'LZIP', notExamined('application/x-lzip', 'otherArchive')),
  magic(0, '\x1f\x9d', notExamined('application/x-compress', 'otherArchive')),
  magic(0, 'MSCF\0\0\0\0', notExamined('application/vnd.ms-cab-compressed', 'otherArchive')),
  magic(0, '!<arch>\n', notExamined('application/x-archive', 'otherArchive')),
  magic(0, '070701', notExamined('application/x-cpio', 'otherArchive')),
  magic(0, '070707', notExamined('application/x-cpio', 'otherArchive')),
  magic(2, '-lh', notExamined('application/x-lzh-compressed', 'otherArchive')),
  magic(0, '\x60\xea', notExamined('application/x-arj', 'otherArchive')),
  magic(7, '**ACE**', notExamined('application/x-ace-compressed', 'otherArchive')),
  magic(0, 'xar!', notExamined('application/x-xar', 'otherArchive')),
  // Archives that are
  magic(0, '\x1f\x8b\x08', archive('application/gzip', 'gzip')),
  magic(257, 'ustar', archive('application/x-tar', 'tar')),
  // Disk images
  magic(0, 'EVF\t\r\n\xff\0', notExamined('application/x-ewf', 'diskImage')),
  magic(0, 'EVF2\r\n\x81\0', notExamined('application/x-ewf', 'diskImage')),
  magic(0, 'LVF\t\r\n\xff\0', notExamined('application/x-ewf', 'diskImage')),
  magic(0, 'LEF2\r\n\x81\0', notExamined('application/x-ewf', 'diskImage')),
  magic(0, 'ADSEGMENTEDFILE', notExamined('application/x-ad1', 'diskImage')),
  magic(0, 'AFF10\r\n\0', notExamined('application/x-aff', 'diskImage')),
  magic(0, 'KDMV', notExamined('application/x-vmdk', 'diskImage')),
  magic(0, '# Disk DescriptorFile', notExamined('application/x-vmdk', 'diskImage')),
  magic(0, 'conectix', notExamined('application/x-vhd', 'diskImage')),
  magic(0, 'vhdxfile', notExamined('application/x-vhdx', 'diskImage')),
  magic(0, 'QFI\xfb', notExamined('application/x-qcow', 'diskImage')),
  magic(64, '\x7f\x10\xda\xbe', notExamined('application/x-virtualbox-vdi', 'diskImage')),
  magic(0, 'MSWIM\0\0\0', notExamined('application/x-ms-wim', 'diskImage')),
  magic(32769, 'CD001', notExamined('application/x-iso9660-image', 'diskImage')),
  magic(512, 'EFI PART', notExamined('application/x-raw-disk-image', 'diskImage')),
  magic(32, 'NXSB', notExamined('application/x-raw-disk-image', 'diskImage')),
  // Encrypted containers
  magic(0, 'LUKS\xba\xbe', notExamined('application/x-luks', 'encrypted')),
  magic(3, '-FVE-FS-', notExamined('application/x-bitlocker', 'encrypted')),
  magic(0, 'Salted__', notExamined('application/x-openssl-encrypted', 'encrypted')),
  magic(0, 'age-encryption.org/', notExamined('application/x-age-encryption', 'encrypted')),
  magic(0, '-----BEGIN PGP MESSAGE', notExamined('application/pgp-encrypted', 'encrypted')),
  // Executables
  magic(0, '\x7fELF', notExamined('application/x-elf', 'executable')),
  magic(0, '\xfe\xed\xfa\xce', notExamined('application/x-mach-binary', 'executable')),
  magic(0, '\xfe\xed\xfa\xcf', notExamined('application/x-mach-binary', 'executable')),
  magic(0, '\xce\xfa\xed\xfe', notExamined('application/x-mach-binary', 'executable')),
  magic(0, '\xcf\xfa\xed\xfe', notExamined('application/x-mach-binary', 'executable')),
  magic(0, '\xca\xfe\xba\xbe', notExamined('application/x-mach-binary', 'executable')),
  magic(0, 'dex\n', notExamined('application/x-dex', 'executable')),
  magic(0, '\0asm', notExamined('application/wasm', 'executable')),
  magic(0, '#!/', notExamined('text/x-script', 'executable')),
  magic(0, 'MZ', notExamined('application/vnd.microsoft.portable-executable', 'executable')),
];
