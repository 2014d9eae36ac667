import type { Clock, Logger } from '@heddle/base';
import { LogFile } from './log-file.ts';

/** The log files in use, one per path however many listeners write to it. */
export class LogFiles {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly files = new Map<string, { readonly file: LogFile; users: number }>();
  /** Files whose last user is gone, until they are written out. */
  private readonly closing = new Set<Promise<void>>();

  constructor(clock: Clock, logger: Logger) {
    this.clock = clock;
    this.logger = logger;
  }

  /** The file for a path, opened by its first user; throws `HEDDLE_ACCESS_LOG_OPEN` where that fails. */
  acquire(path: string): LogFile {
    let entry = this.files.get(path);
    if (entry === undefined) {
      entry = { file: new LogFile(path, this.clock, this.logger), users: 0 };
      this.files.set(path, entry);
    }
    entry.users++;
    return entry.file;
  }

  /** Gives a file back; its last user closes it. */
  async release(file: LogFile): Promise<void> {
    const entry = this.files.get(file.path);
    if (entry === undefined || entry.file !== file) return;
    entry.users--;
    if (entry.users > 0) return;
    this.files.delete(file.path);
    const closed = file.close();
    this.closing.add(closed);
    await closed;
    this.closing.delete(closed);
  }

  /** Opens all paths anew: what SIGHUP asks for after a rotation. */
  reopen(): void {
    for (const { file } of this.files.values()) file.reopen();
  }

  /** Writes everything and closes all files. */
  async close(): Promise<void> {
    const files = [...this.files.values()];
    this.files.clear();
    await Promise.all([...files.map(({ file }) => file.close()), ...this.closing]);
  }
}
