import type { JoinTokenRecord, TokenStore } from '@heddle/ca';
import { HeddleError } from '@heddle/base';
import { z } from 'zod';
import type { EtcdClient } from './etcd-client.ts';
import { endOfPrefix } from './messages.ts';

const recordSchema = z.object({
  id: z.string(),
  secretSha256: z.string(),
  createdAtMs: z.number(),
  expiresAtMs: z.number().nullable(),
  usesLeft: z.number().nullable(),
  namespace: z.string().nullable(),
  serviceAccount: z.string().nullable(),
});

/** How often a use is tried to be taken while others take theirs. */
const maxAttempts = 100;

/** Join tokens in etcd: good at every control plane, each use taken once. */
export class EtcdTokenStore implements TokenStore {
  private readonly client: EtcdClient;
  private readonly keys: string;

  constructor(client: EtcdClient, prefix: string) {
    this.client = client;
    this.keys = `${prefix}/join-tokens/`;
  }

  async get(id: string): Promise<JoinTokenRecord | null> {
    return (await this.read(id))?.record ?? null;
  }

  async put(record: JoinTokenRecord): Promise<void> {
    await this.client.txn({
      compare: [],
      success: [{ type: 'put', key: this.keys + record.id, value: encode(record) }],
    });
  }

  async decrement(id: string): Promise<boolean> {
    const key = this.keys + id;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const found = await this.read(id);
      if (found === null) return false;
      const { record, modRevision } = found;
      if (record.usesLeft === null) return true;
      if (record.usesLeft <= 0) return false;
      const { succeeded } = await this.client.txn({
        compare: [{ key, modRevision }],
        success: [{ type: 'put', key, value: encode({ ...record, usesLeft: record.usesLeft - 1 }) }],
      });
      if (succeeded) return true;
    }
    throw new HeddleError('HEDDLE_STORE_CONFLICT', 'Too many others use this join token at the same time.');
  }

  async list(): Promise<readonly JoinTokenRecord[]> {
    const { kvs } = await this.client.rangeAll(this.keys, endOfPrefix(this.keys));
    return kvs.map(decode).sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  async delete(id: string): Promise<boolean> {
    const found = await this.read(id);
    if (found === null) return false;
    await this.client.txn({ compare: [], success: [{ type: 'delete', key: this.keys + id }] });
    return true;
  }

  private async read(
    id: string,
  ): Promise<{ readonly record: JoinTokenRecord; readonly modRevision: number } | null> {
    const { kvs } = await this.client.range({ key: this.keys + id });
    const [kv] = kvs;
    if (kv === undefined) return null;
    return { record: decode(kv), modRevision: kv.modRevision };
  }
}

function decode({ key, value }: { readonly key: string; readonly value: Uint8Array }): JoinTokenRecord {
  const parsed = recordSchema.safeParse(JSON.parse(Buffer.from(value).toString()));
  if (parsed.success) return parsed.data;
  throw new HeddleError('HEDDLE_STORE_CORRUPT', `The record ${key} in etcd is damaged.`);
}

function encode(record: JoinTokenRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}
