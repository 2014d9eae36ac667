/**
 * How the configuration lies in etcd, below a prefix:
 *
 *     config/head                                 the latest revision, and the oldest that the history holds
 *     config/objects/GROUP/KIND/NAMESPACE/NAME    an object as it is, JSON
 *     config/commits/0000000000000012             what a commit did, deflated JSON
 *
 * One transaction writes all of a commit, on condition that the head is the one it was planned on.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { errorMessage, HeddleError } from '@heddle/base';
import { z } from 'zod';
import { objectKeyText, type Commit, type ObjectKey, type StoredObject } from '../store/config-store.ts';

/** The latest revision and the oldest commit that is kept; of an empty store 0 and 1. */
export interface Head {
  readonly revision: number;
  readonly oldest: number;
}

/** A commit and what its writer knows it by. */
export interface CommitRecord {
  readonly id: string;
  readonly commit: Commit;
}

const headSchema = z.object({ revision: z.int().min(0), oldest: z.int().min(1) });

const objectSchema = z.object({
  group: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  apiVersion: z.string(),
  source: z.string(),
  specDigest: z.string(),
  revision: z.int(),
  createdRevision: z.int(),
  createdAt: z.number(),
  updatedAt: z.number(),
  generation: z.int(),
});

const recordSchema = z.object({
  id: z.string(),
  revision: z.int(),
  at: z.number(),
  author: z.string(),
  changes: z.array(
    z.object({ type: z.enum(['put', 'delete']), object: objectSchema, previous: objectSchema.optional() }),
  ),
});

/** More than etcd can hold of one commit, however well it is deflated. */
const maxRecordBytes = 256 * 1024 * 1024;

/** Keys of one mesh: each begins with the prefix. */
export class ConfigKeys {
  readonly head: string;
  readonly objects: string;
  readonly commits: string;

  /** `prefix` such as `/heddle`, without a slash at its end. */
  constructor(prefix: string) {
    this.head = `${prefix}/config/head`;
    this.objects = `${prefix}/config/objects/`;
    this.commits = `${prefix}/config/commits/`;
  }

  object(key: ObjectKey): string {
    return this.objects + objectKeyText(key);
  }

  commit(revision: number): string {
    return this.commits + String(revision).padStart(16, '0');
  }
}

export function encodeHead(head: Head): Uint8Array {
  return Buffer.from(JSON.stringify(head));
}

export function decodeHead(value: Uint8Array): Head {
  return decode('config/head', () => headSchema.parse(JSON.parse(Buffer.from(value).toString())));
}

export function encodeStored(object: StoredObject): Uint8Array {
  return Buffer.from(JSON.stringify(object));
}

export function decodeStored(key: string, value: Uint8Array): StoredObject {
  return decode(key, () => objectSchema.parse(JSON.parse(Buffer.from(value).toString())));
}

export function encodeRecord({ id, commit }: CommitRecord): Uint8Array {
  return deflateRawSync(JSON.stringify({ id, ...commit }));
}

export function decodeRecord(key: string, value: Uint8Array): CommitRecord {
  return decode(key, () => {
    const json = inflateRawSync(value, { maxOutputLength: maxRecordBytes }).toString();
    const { id, revision, at, author, changes } = recordSchema.parse(JSON.parse(json));
    const commit: Commit = {
      revision,
      at,
      author,
      changes: changes.map(({ type, object, previous }) =>
        type === 'put' ? { type, object, previous } : { type, object },
      ),
    };
    return { id, commit };
  });
}

/** Who writes into etcd past Heddle may write anything. */
function decode<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new HeddleError(
      'HEDDLE_STORE_CORRUPT',
      `The record ${key} in etcd is damaged (${errorMessage(error).split('\n')[0]}): restore etcd from a backup.`,
      { cause: error },
    );
  }
}
