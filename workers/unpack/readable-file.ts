/** What unpacking needs of a file: bytes at any place. A FileHandle is one, and so is the content of a sealed upload. */
export interface ReadableFile {
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}
