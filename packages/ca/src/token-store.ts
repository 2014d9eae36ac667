/** A join token as it is stored: everything but its secret. */
export interface JoinTokenRecord {
  readonly id: string;
  /** SHA-256 of the secret, base64url. */
  readonly secretSha256: string;
  readonly createdAtMs: number;
  /** Null for never. */
  readonly expiresAtMs: number | null;
  /** Null for any number. */
  readonly usesLeft: number | null;
  /** Null for any. */
  readonly namespace: string | null;
  /** Null for any. */
  readonly serviceAccount: string | null;
}

/** Where join tokens are kept. */
export interface TokenStore {
  get(id: string): Promise<JoinTokenRecord | null>;
  /** Adds a record, or replaces the one with its id. */
  put(record: JoinTokenRecord): Promise<void>;
  /**
   * Takes one use of a token, in one step with the check that there is one left. True also for tokens without a limit;
   * false where no use is left or no such token exists.
   */
  decrement(id: string): Promise<boolean>;
  /** All records, oldest first. */
  list(): Promise<readonly JoinTokenRecord[]>;
  /** Removes a record; false where there is none. */
  delete(id: string): Promise<boolean>;
}

/** Keeps tokens in memory: for tests and simulations. */
export class MemoryTokenStore implements TokenStore {
  private readonly records = new Map<string, JoinTokenRecord>();

  get(id: string): Promise<JoinTokenRecord | null> {
    return Promise.resolve(this.records.get(id) ?? null);
  }

  put(record: JoinTokenRecord): Promise<void> {
    this.records.set(record.id, record);
    return Promise.resolve();
  }

  decrement(id: string): Promise<boolean> {
    const record = this.records.get(id);
    if (record === undefined) return Promise.resolve(false);
    if (record.usesLeft === null) return Promise.resolve(true);
    if (record.usesLeft <= 0) return Promise.resolve(false);
    this.records.set(id, { ...record, usesLeft: record.usesLeft - 1 });
    return Promise.resolve(true);
  }

  list(): Promise<readonly JoinTokenRecord[]> {
    return Promise.resolve([...this.records.values()]);
  }

  delete(id: string): Promise<boolean> {
    return Promise.resolve(this.records.delete(id));
  }
}
