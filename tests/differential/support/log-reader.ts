// The access log of one side: what has been added to it since it was last read.
import { readFile } from 'node:fs/promises';
import { probePath } from './upstream.ts';

export class LogReader {
  private readonly file: string;
  private readonly flush: () => Promise<unknown>;
  private read = 0;

  /** `flush` makes the proxy write what it still holds back. */
  constructor(file: string, flush: () => Promise<unknown>) {
    this.file = file;
    this.flush = flush;
  }

  /** The lines of one request: up to the one that every request gets, read until it is there or the time is up. */
  async next(limitMs: number): Promise<string[]> {
    const limit = performance.now() + limitMs;
    for (;;) {
      await this.flush();
      const text = await readFile(this.file, 'utf8');
      const lines = text
        .slice(this.read)
        .split('\n')
        .filter((line) => line !== '' && !line.includes(probePath));
      if (lines.some((line) => line.startsWith('all: ')) || performance.now() > limit) {
        this.read = text.length;
        return lines;
      }
    }
  }
}
