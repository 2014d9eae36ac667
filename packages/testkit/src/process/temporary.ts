import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is removed with everything in it at the end of the block (`await using`). */
export class TemporaryDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Makes an empty directory under the system's temporary directory. */
export async function temporaryDirectory(name = 'heddle-test'): Promise<TemporaryDirectory> {
  return new TemporaryDirectory(await mkdtemp(join(tmpdir(), `${name}-`)));
}
