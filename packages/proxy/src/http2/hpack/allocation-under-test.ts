// Counts what the header block of a gRPC request allocates on its way from one connection to another once both know its
// fields: decoded, checked, encoded. A program of its own, since it must own its heap: run with --expose-gc. Prints one line
// of JSON.
import { Session } from 'node:inspector/promises';
import { invariant } from '@heddle/base';
import { Field } from '../../codec/field.ts';
import { FieldList } from '../../codec/field-list.ts';
import { MessageError, checkRequest } from '../message-rules.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';
import { HpackError } from './hpack-error.ts';
import { huffmanLength, writeHuffman } from './huffman-encoder.ts';

const rounds = 20_000;
const path = '/shop.checkout.v1.CheckoutService/PlaceOrder';
const request = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'checkout.shop.svc.cluster.local:5050'],
  ['content-type', 'application/grpc'],
  ['user-agent', 'grpc-node-js/1.14.1'],
  ['te', 'trailers'],
  ['grpc-accept-encoding', 'identity,deflate,gzip'],
  ['accept-encoding', 'identity'],
  ['x-forwarded-proto', 'http'],
] as const;

const out = Buffer.alloc(4096);

/** A connection between two encoders: what comes by the one goes on by the other. */
class Path {
  private readonly decoder = new HpackDecoder({ maxTableSize: 4096, maxListBytes: 61_440, maxFields: 100 });
  private readonly upstream = new HpackEncoder(4096);
  private readonly received = new FieldList();

  /** Returns how long the block is that goes on. */
  pass(block: Buffer): number {
    const error = this.decoder.decode(block, 0, block.length, this.received);
    invariant(error === HpackError.none, 'the block is read');
    invariant(checkRequest(this.received, false) === MessageError.none, 'it is a request');
    return this.upstream.encode(this.received, out, 0);
  }
}

function encode(encoder: HpackEncoder, pairs: readonly (readonly [string, string])[]): Buffer {
  const list = FieldList.of(...pairs.map(([name, value]) => new Field(name, value)));
  return Buffer.from(out.subarray(0, encoder.encode(list, out, 0)));
}

/** `:path` as a literal in Huffman code, without a place in the table: so do nghttp2 and Envoy each time. */
function literalPath(): Buffer {
  const block = Buffer.alloc(2 + huffmanLength(path));
  block[0] = 0x04;
  block[1] = 0x80 | huffmanLength(path);
  writeHuffman(path, block, 2);
  return block;
}

/** Passes a block on that begins with `start` and says `pairs`. */
async function measure(start: Buffer, pairs: readonly (readonly [string, string])[]): Promise<object> {
  const client = new HpackEncoder(4096);
  const connection = new Path();
  let block = Buffer.alloc(0);
  // The third block on, all fields are in the client's table; later ones are needed by the compiler only.
  for (let i = 0; i < 4; i++) {
    block = Buffer.concat([start, encode(client, pairs)]);
    connection.pass(block);
  }
  for (let i = 0; i < rounds * 3; i++) connection.pass(block);
  const collect = globalThis.gc;
  invariant(collect !== undefined, 'run with --expose-gc');
  collect();
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  } as object);
  let written = 0;
  for (let i = 0; i < rounds; i++) written += connection.pass(block);
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  const { samples } = profile as typeof profile & { readonly samples: readonly unknown[] };
  return { objects: samples.length, received: block.length, written: written / rounds };
}

const indexed = await measure(Buffer.alloc(0), request);
const withLiteral = await measure(
  literalPath(),
  request.filter(([name]) => name !== ':path'),
);
process.stdout.write(`${JSON.stringify({ rounds, indexed, withLiteral })}\n`);
