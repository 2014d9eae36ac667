/** Reads files of a directory in which anything may stand. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/**
 * What a file holds, or null where it is a FIFO, a socket, a device or a directory. It never waits: opening a FIFO would
 * until somebody writes to it, and no signal ends that.
 */
export async function readRegularFile(path: string): Promise<Buffer | null> {
  // Before it is opened, as opening alone has effects on some devices.
  if (!(await stat(path)).isFile()) return null;
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    // It may have been replaced in between.
    return (await handle.stat()).isFile() ? await handle.readFile() : null;
  } finally {
    await handle.close();
  }
}
