/** One certificate that this authority has issued. */
export interface IssuanceRecord {
  /** SPIFFE id; for the root that of its trust domain. */
  readonly identity: string;
  readonly kind: 'root' | 'control-plane' | 'workload';
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** Remembers what has been issued, for people who look. */
export interface IssuanceLog {
  /** Called for each certificate before it is handed out; a rejection keeps it from being handed out. */
  append(record: IssuanceRecord): Promise<void>;
  /** Those not expired at `nowMs`, oldest first. */
  list(nowMs: number): Promise<readonly IssuanceRecord[]>;
}

const defaultLimit = 100_000;

/** Keeps records in memory: certificates that have expired are forgotten, and the oldest ones beyond a limit. */
export class MemoryIssuanceLog implements IssuanceLog {
  private readonly limit: number;
  private records: IssuanceRecord[] = [];

  constructor(limit: number = defaultLimit) {
    this.limit = limit;
  }

  append(record: IssuanceRecord): Promise<void> {
    this.records.push(record);
    if (this.records.length > this.limit) this.records = this.records.slice(Math.ceil(this.limit / 10));
    return Promise.resolve();
  }

  list(nowMs: number): Promise<readonly IssuanceRecord[]> {
    this.records = this.records.filter((record) => record.notAfterMs >= nowMs);
    return Promise.resolve([...this.records]);
  }
}
