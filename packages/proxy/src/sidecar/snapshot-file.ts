// The last good configuration on disk: a sidecar that starts while the control plane is away serves from it (design D5).
import { readFile } from 'node:fs/promises';
import { type Clock, type Logger, type Timer, errorMessage, systemErrorCode } from '@heddle/base';
import { writeFileAtomically } from '@heddle/identity';

/** One resource as it arrived. */
export interface SnapshotResource {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

const format = 'heddle-snapshot-1';
const writeDelayMs = 500;

/**
 * Encodes resources as one line of JSON (types, names, versions, lengths) and the bytes behind it: what arrived encoded is
 * stored encoded.
 */
export function encodeSnapshot(resources: readonly SnapshotResource[]): Buffer {
  const index = resources.map(({ typeUrl, name, version, bytes }) => [typeUrl, name, version, bytes.length]);
  const header = Buffer.from(`${JSON.stringify({ format, index })}\n`);
  return Buffer.concat([header, ...resources.map((resource) => resource.bytes)]);
}

/** Reads what `encodeSnapshot` wrote; null where the file is anything else, whole or in part. */
export function decodeSnapshot(file: Buffer): SnapshotResource[] | null {
  const headerEnd = file.indexOf(0x0a);
  if (headerEnd < 0) return null;
  let header: { format?: unknown; index?: unknown };
  try {
    header = JSON.parse(file.toString('utf8', 0, headerEnd)) as { format?: unknown; index?: unknown };
  } catch {
    return null;
  }
  if (header.format !== format || !Array.isArray(header.index)) return null;
  const resources: SnapshotResource[] = [];
  let at = headerEnd + 1;
  for (const entry of header.index as unknown[]) {
    if (!Array.isArray(entry)) return null;
    const [typeUrl, name, version, length] = entry as unknown[];
    if (typeof typeUrl !== 'string' || typeof name !== 'string' || typeof version !== 'string') return null;
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || at + length > file.length)
      return null;
    resources.push({ typeUrl, name, version, bytes: file.subarray(at, at + length) });
    at += length;
  }
  return at === file.length ? resources : null;
}

/** Writes snapshots some time after a change, several changes at once; never two writes at a time. */
export class SnapshotFile {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private timer: Timer | null = null;
  private writing: Promise<void> | null = null;

  constructor(path: string, clock: Clock, logger: Logger) {
    this.path = path;
    this.clock = clock;
    this.logger = logger;
  }

  /** The stored resources; null where there are none or the file can't be read. */
  async load(): Promise<SnapshotResource[] | null> {
    try {
      const resources = decodeSnapshot(await readFile(this.path));
      if (resources === null)
        this.logger.warn('the configuration snapshot is damaged and not used', { path: this.path });
      return resources;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') {
        this.logger.warn('the configuration snapshot cannot be read', {
          path: this.path,
          reason: errorMessage(error),
        });
      }
      return null;
    }
  }

  /** To be called after each change; `resources` is asked when the time has come to write. */
  changed(resources: () => readonly SnapshotResource[]): void {
    if (this.timer !== null) return;
    this.timer = this.clock.setTimer(writeDelayMs, () => {
      this.timer = null;
      this.writing = (this.writing ?? Promise.resolve()).then(() => this.write(resources()));
    });
  }

  /** Waits for a write under way. */
  async close(): Promise<void> {
    this.timer?.cancel();
    await this.writing;
  }

  private async write(resources: readonly SnapshotResource[]): Promise<void> {
    try {
      await writeFileAtomically(this.path, encodeSnapshot(resources));
    } catch (error) {
      this.logger.warn('the configuration snapshot cannot be written', {
        path: this.path,
        reason: errorMessage(error),
      });
    }
  }
}
