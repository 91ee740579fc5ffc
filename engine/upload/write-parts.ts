import type { FileHandle } from 'node:fs/promises';
import { HomewardError } from '../../schemas/error.ts';

/** @throws HW_UPLOAD_BUDGET where the disk took a part only, which `writev` does not call an error */
export async function writeParts(
  file: Pick<FileHandle, 'writev'>,
  parts: readonly Buffer[],
  position: number,
): Promise<void> {
  const wanted = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await file.writev(parts, position);
  if (bytesWritten < wanted)
    throw new HomewardError(
      'HW_UPLOAD_BUDGET',
      'expected room on the disk for what comes in, received none; what was durable is kept; tell whoever runs this engine, and go on later',
    );
}
