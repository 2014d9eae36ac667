import { close, openSync, write } from 'node:fs';
import {
  type Clock,
  errorMessage,
  HeddleError,
  type Logger,
  systemErrorCode,
  type Timer,
} from '@heddle/base';

const flushBytes = 64 * 1024;
const flushIntervalMs = 1000;
const retryMs = 10;
/** `PIPE_BUF` of Linux; elsewhere it is less, and lines are shorter than that too. */
const pipeBytes = 4096;
/** What may wait in memory while the disk or the reader of a pipe is slow; beyond it lines are dropped and counted. */
const maxPendingBytes = 4 * 1024 * 1024;
/** Paths that stand for descriptors of the process. */
export const standardStreams: Readonly<Record<string, number>> = { '/dev/stdout': 1, '/dev/stderr': 2 };
// Access logs name people's addresses: the group may read, others not.
const fileMode = 0o640;

/** `HEDDLE_ACCESS_LOG_OPEN`: this file can't be opened for writing. */
export class AccessLogOpenError extends HeddleError {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    const code = systemErrorCode(cause);
    const why =
      { ENOENT: 'there is no such directory', EISDIR: 'it is a directory' }[code] ?? errorMessage(cause);
    super('HEDDLE_ACCESS_LOG_OPEN', `can't open the access log '${path}': ${why}`, { cause });
    this.path = path;
  }
}

function openFile(path: string): number {
  const descriptor = standardStreams[path];
  if (descriptor !== undefined) return descriptor;
  try {
    return openSync(path, 'a', fileMode);
  } catch (cause) {
    throw new AccessLogOpenError(path, cause);
  }
}

/**
 * Appends lines to a file, `/dev/stdout` or `/dev/stderr` in batches of 64 KiB or one second, without ever holding the
 * thread. The proxy's traffic goes on whatever happens to the log.
 */
export class LogFile {
  readonly path: string;
  /** Lines dropped because they came faster than they could be written. */
  droppedLines = 0;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private descriptor: number;
  private pending = '';
  private timer: Timer | null = null;
  private isWriting = false;
  private isReopening = false;
  private isClosed = false;
  private hasFailed = false;
  private whenIdle: (() => void)[] = [];

  /** Opens the file; throws `HEDDLE_ACCESS_LOG_OPEN` where that fails. */
  constructor(path: string, clock: Clock, logger: Logger) {
    this.path = path;
    this.clock = clock;
    this.logger = logger;
    this.descriptor = openFile(path);
  }

  /** Adds a line, end of line included. */
  write(line: string): void {
    if (this.pending.length + line.length > maxPendingBytes || this.isClosed) {
      this.droppedLines++;
      return;
    }
    this.pending += line;
    if (this.pending.length >= flushBytes) this.flush();
    else this.timer ??= this.clock.setTimer(flushIntervalMs, () => this.flush());
  }

  /** Opens the path anew after what has been written so far: for log rotation by renaming. */
  reopen(): void {
    this.isReopening = true;
    this.flush();
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.flush();
    if (this.isWriting) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
    this.closeDescriptor();
  }

  private flush(): void {
    this.timer?.cancel();
    this.timer = null;
    if (this.isWriting) return;
    if (this.isReopening) this.openAgain();
    if (this.pending === '' || this.descriptor < 0) return;
    const bytes = Buffer.from(this.pending);
    this.pending = '';
    this.isWriting = true;
    this.writeFrom(bytes, 0);
  }

  private writeFrom(bytes: Buffer, start: number): void {
    write(this.descriptor, bytes, start, this.pieceEnd(bytes, start) - start, null, (error, written) => {
      if (error === null && start + written < bytes.length) {
        this.writeFrom(bytes, start + written);
        return;
      }
      // A pipe whose reader is slow: what was taken on must still be written whole.
      if (systemErrorCode(error) === 'EAGAIN') {
        this.clock.setTimer(retryMs, () => this.writeFrom(bytes, start));
        return;
      }
      if (error === null) this.hasFailed = false;
      else this.reportFailure(error);
      this.isWriting = false;
      if (this.isReopening || this.isClosed || this.pending.length >= flushBytes) this.flush();
      if (this.isWriting) return;
      for (const resolve of this.whenIdle.splice(0)) resolve();
    });
  }

  /**
   * How far one write may go. Standard output may be a pipe, into which other threads and the application write too: what is not
   * longer than `PIPE_BUF` arrives in one piece, so lines go by as many as fit into that.
   */
  private pieceEnd(bytes: Buffer, start: number): number {
    const isStandardStream = this.descriptor <= 2;
    if (!isStandardStream || bytes.length - start <= pipeBytes) return bytes.length;
    const lineEnd = bytes.lastIndexOf(0x0a, start + pipeBytes - 1);
    if (lineEnd >= start) return lineEnd + 1;
    // A line longer than that goes alone, as it is.
    const longLineEnd = bytes.indexOf(0x0a, start);
    return longLineEnd < 0 ? bytes.length : longLineEnd + 1;
  }

  private openAgain(): void {
    this.isReopening = false;
    this.closeDescriptor();
    try {
      this.descriptor = openFile(this.path);
    } catch (error) {
      this.reportFailure(error);
    }
  }

  private closeDescriptor(): void {
    const { descriptor } = this;
    this.descriptor = -1;
    if (descriptor > 2) close(descriptor, () => {});
  }

  /** Once per run of failures: a full disk must not fill the other log too. */
  private reportFailure(error: unknown): void {
    if (!this.hasFailed)
      this.logger.error('Access log cannot be written', { path: this.path, error: errorMessage(error) });
    this.hasFailed = true;
  }
}
