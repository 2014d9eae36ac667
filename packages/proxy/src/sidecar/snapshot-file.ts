// The last good configuration on disk: a sidecar that starts while the control plane is away serves from it (design D5).
import { readFile } from 'node:fs/promises';
import { type Clock, type Logger, type Timer, errorMessage, systemErrorCode } from '@heddle/base';
import { writeFileAtomically } from '@heddle/identity';
import { type ConfigurationSnapshot, decodeSnapshot, encodeSnapshot } from '@heddle/xds/snapshot';

/** Several changes make one write. */
const writeDelayMs = 300;

/** Writes snapshots some time after a change, one at a time, each whole or not at all. */
export class SnapshotFile {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private timer: Timer | null = null;
  private waiting: (() => ConfigurationSnapshot) | null = null;
  private isClosed = false;
  private writing: Promise<void> = Promise.resolve();

  constructor(path: string, clock: Clock, logger: Logger) {
    this.path = path;
    this.clock = clock;
    this.logger = logger;
  }

  /** What is stored; null where there is nothing or it can't be used. */
  async load(): Promise<ConfigurationSnapshot | null> {
    try {
      const snapshot = decodeSnapshot(await readFile(this.path));
      if (snapshot.ok) return snapshot.value;
      this.logger.warn('The configuration snapshot is not used', { path: this.path, reason: snapshot.error });
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return null;
      this.logger.warn('The configuration snapshot cannot be read', {
        path: this.path,
        reason: errorMessage(error),
      });
    }
    return null;
  }

  /** To be called after each change; `snapshot` is asked when the time to write has come. */
  changed(snapshot: () => ConfigurationSnapshot): void {
    if (this.isClosed) return;
    this.waiting = snapshot;
    this.timer ??= this.clock.setTimer(writeDelayMs, () => void this.flush());
  }

  /** Writes at once what waits to be written. */
  async flush(): Promise<void> {
    this.timer?.cancel();
    this.timer = null;
    const { waiting } = this;
    this.waiting = null;
    if (waiting !== null) this.writing = this.writing.then(() => this.write(waiting()));
    await this.writing;
  }

  /** Waits for a write under way; writes no more. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting = null;
    this.timer?.cancel();
    this.timer = null;
    await this.writing;
  }

  private async write(snapshot: ConfigurationSnapshot): Promise<void> {
    try {
      await writeFileAtomically(this.path, encodeSnapshot(snapshot));
    } catch (error) {
      this.logger.warn('The configuration snapshot cannot be written', {
        path: this.path,
        reason: errorMessage(error),
      });
    }
  }
}
