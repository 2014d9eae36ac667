/**
 * The messages of etcd's API v3 that Heddle sends and reads (etcdserverpb and mvccpb), with the fields it uses. Keys are
 * text; what is not needed of an answer is skipped.
 */
import { BinaryReader } from '@heddle/xds/wire/binary-reader.ts';
import { BinaryWriter } from '@heddle/xds/wire/binary-writer.ts';

/** A key with its value. Revisions are etcd's own, of the whole cluster. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** 0 where the key has none. */
  readonly lease: bigint;
}

export interface RangeRequest {
  readonly key: string;
  /** The first key that no longer belongs to the range. Absent: only `key`. */
  readonly end?: string;
  readonly limit?: number;
  /** As of this revision. Absent: the latest. */
  readonly revision?: number;
}

/** A condition of a transaction. */
export type Compare =
  /** 0: the key does not exist. */
  { readonly key: string; readonly modRevision: number } | { readonly key: string; readonly lease: bigint };

/** What a transaction does. `txn` groups operations: etcd bounds how many stand side by side. */
export type Operation =
  | { readonly type: 'range'; readonly range: RangeRequest }
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: bigint }
  | { readonly type: 'delete'; readonly key: string; readonly end?: string }
  | { readonly type: 'txn'; readonly operations: readonly Operation[] };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

export interface RangeResponse {
  /** The cluster's revision when it was answered. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  /** There are more than the limit. */
  readonly more: boolean;
}

export interface TxnResponse {
  readonly revision: number;
  readonly succeeded: boolean;
  /** The answers to ranges, in their order. */
  readonly ranges: readonly RangeResponse[];
}

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly kv: KeyValue;
}

export interface WatchResponse {
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Where a watch is cancelled for it: the oldest revision that can still be watched from; else 0. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly events: readonly WatchEvent[];
}

/** The first key behind all that begin with `prefix`, whose last character is a plain one. */
export function endOfPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

const varint = 0;
const delimited = 2;

function message(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(field, delimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string | undefined): void {
  if (value !== undefined && value !== '') writer.tag(field, delimited).string(value);
}

function int(writer: BinaryWriter, field: number, value: number | bigint | undefined): void {
  if (value !== undefined && Number(value) !== 0) writer.tag(field, varint).int64(value);
}

function writeRange(writer: BinaryWriter, { key, end, limit, revision }: RangeRequest): void {
  text(writer, 1, key);
  text(writer, 2, end);
  int(writer, 3, limit);
  int(writer, 4, revision);
}

const compareEqual = 0;
const targetMod = 2;
const targetLease = 4;

function writeCompare(writer: BinaryWriter, compare: Compare): void {
  writer.tag(1, varint).int32(compareEqual);
  if ('lease' in compare) {
    writer.tag(2, varint).int32(targetLease);
    text(writer, 3, compare.key);
    writer.tag(8, varint).int64(compare.lease);
  } else {
    writer.tag(2, varint).int32(targetMod);
    text(writer, 3, compare.key);
    writer.tag(6, varint).int64(compare.modRevision);
  }
}

function writeOperation(writer: BinaryWriter, operation: Operation): void {
  switch (operation.type) {
    case 'range':
      return message(writer, 1, () => writeRange(writer, operation.range));
    case 'put':
      return message(writer, 2, () => {
        text(writer, 1, operation.key);
        writer.tag(2, delimited).bytes(operation.value);
        int(writer, 3, operation.lease);
      });
    case 'delete':
      return message(writer, 3, () => {
        text(writer, 1, operation.key);
        text(writer, 2, operation.end);
      });
    case 'txn':
      return message(writer, 4, () => {
        for (const inner of operation.operations) message(writer, 2, () => writeOperation(writer, inner));
      });
  }
}

export function encodeRange(request: RangeRequest): Uint8Array {
  const writer = new BinaryWriter();
  writeRange(writer, request);
  return writer.finish();
}

export function encodeTxn({ compare, success, failure = [] }: TxnRequest): Uint8Array {
  const writer = new BinaryWriter();
  for (const condition of compare) message(writer, 1, () => writeCompare(writer, condition));
  for (const operation of success) message(writer, 2, () => writeOperation(writer, operation));
  for (const operation of failure) message(writer, 3, () => writeOperation(writer, operation));
  return writer.finish();
}

/** Asks for the changes of a range from `startRevision` on. */
export function encodeWatch(request: {
  readonly key: string;
  readonly end: string;
  readonly startRevision: number;
}): Uint8Array {
  const writer = new BinaryWriter();
  message(writer, 1, () => {
    text(writer, 1, request.key);
    text(writer, 2, request.end);
    int(writer, 3, request.startRevision);
  });
  return writer.finish();
}

export function encodeLeaseGrant(ttlSeconds: number): Uint8Array {
  const writer = new BinaryWriter();
  int(writer, 1, ttlSeconds);
  return writer.finish();
}

/** Of a keep-alive as of a revocation. */
export function encodeLeaseId(id: bigint): Uint8Array {
  const writer = new BinaryWriter();
  int(writer, 1, id);
  return writer.finish();
}

/** Calls `field` for each field of a message; what it doesn't read (returning false) is skipped. */
function read(reader: BinaryReader, length: number | undefined, field: (number: number) => boolean): void {
  const outer = reader.enter(length);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!field(tag >>> 3)) reader.skip(tag);
  }
  reader.leave(outer);
}

function readHeader(reader: BinaryReader): number {
  let revision = 0;
  read(reader, reader.uint32(), (field) => {
    if (field !== 3) return false;
    revision = Number(reader.int64());
    return true;
  });
  return revision;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const noKeyValue: KeyValue = {
  key: '',
  value: new Uint8Array(0),
  createRevision: 0,
  modRevision: 0,
  lease: 0n,
};

function readKeyValue(reader: BinaryReader): KeyValue {
  const kv: Mutable<KeyValue> = { ...noKeyValue };
  read(reader, reader.uint32(), (field) => {
    if (field === 1) kv.key = reader.string();
    else if (field === 2) kv.createRevision = Number(reader.int64());
    else if (field === 3) kv.modRevision = Number(reader.int64());
    else if (field === 5) kv.value = reader.bytes();
    else if (field === 6) kv.lease = reader.int64();
    else return false;
    return true;
  });
  return kv;
}

function readRangeResponse(reader: BinaryReader, length: number | undefined): RangeResponse {
  const kvs: KeyValue[] = [];
  const response = { revision: 0, kvs, more: false };
  read(reader, length, (field) => {
    if (field === 1) response.revision = readHeader(reader);
    else if (field === 2) kvs.push(readKeyValue(reader));
    else if (field === 3) response.more = reader.bool();
    else return false;
    return true;
  });
  return response;
}

export function decodeRange(bytes: Uint8Array): RangeResponse {
  return readRangeResponse(new BinaryReader(bytes), undefined);
}

export function decodeTxn(bytes: Uint8Array): TxnResponse {
  const reader = new BinaryReader(bytes);
  const ranges: RangeResponse[] = [];
  const response = { revision: 0, succeeded: false, ranges };
  read(reader, undefined, (field) => {
    if (field === 1) response.revision = readHeader(reader);
    else if (field === 2) response.succeeded = reader.bool();
    else if (field === 3) {
      read(reader, reader.uint32(), (choice) => {
        if (choice !== 1) return false;
        ranges.push(readRangeResponse(reader, reader.uint32()));
        return true;
      });
    } else return false;
    return true;
  });
  return response;
}

export function decodeWatch(bytes: Uint8Array): WatchResponse {
  const reader = new BinaryReader(bytes);
  const events: WatchEvent[] = [];
  const response = {
    revision: 0,
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: '',
    events,
  };
  read(reader, undefined, (field) => {
    if (field === 1) response.revision = readHeader(reader);
    else if (field === 3) response.created = reader.bool();
    else if (field === 4) response.canceled = reader.bool();
    else if (field === 5) response.compactRevision = Number(reader.int64());
    else if (field === 6) response.cancelReason = reader.string();
    else if (field === 11) events.push(readEvent(reader));
    else return false;
    return true;
  });
  return response;
}

function readEvent(reader: BinaryReader): WatchEvent {
  let type: WatchEvent['type'] = 'put';
  let kv: KeyValue | undefined;
  read(reader, reader.uint32(), (field) => {
    if (field === 1) type = reader.int32() === 1 ? 'delete' : 'put';
    else if (field === 2) kv = readKeyValue(reader);
    else return false;
    return true;
  });
  return { type, kv: kv ?? noKeyValue };
}

/** What is granted or kept alive; a `ttlSeconds` of 0 says that there is no such lease any more. */
export function decodeLease(bytes: Uint8Array): { readonly id: bigint; readonly ttlSeconds: number } {
  const reader = new BinaryReader(bytes);
  const lease = { id: 0n, ttlSeconds: 0 };
  read(reader, undefined, (field) => {
    if (field === 2) lease.id = reader.int64();
    else if (field === 3) lease.ttlSeconds = Number(reader.int64());
    else return false;
    return true;
  });
  return lease;
}
