// HPACK: header blocks of gRPC, read and written. Run: node benchmarks/micro/hpack.ts
import { Field } from '../../packages/proxy/src/codec/field.ts';
import { FieldList } from '../../packages/proxy/src/codec/field-list.ts';
import { HpackDecoder } from '../../packages/proxy/src/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../packages/proxy/src/http2/hpack/encoder.ts';
import { huffmanRoom, readHuffman } from '../../packages/proxy/src/http2/hpack/huffman-decoder.ts';
import { huffmanLength, writeHuffman } from '../../packages/proxy/src/http2/hpack/huffman-encoder.ts';
import { checkRequest } from '../../packages/proxy/src/http2/message-rules.ts';
import { bench, run } from './harness.ts';

const request = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/shop.checkout.v1.CheckoutService/PlaceOrder'],
  [':authority', 'checkout.shop.svc.cluster.local:5050'],
  ['content-type', 'application/grpc'],
  ['user-agent', 'grpc-node-js/1.14.1'],
  ['te', 'trailers'],
  ['grpc-accept-encoding', 'identity,deflate,gzip'],
  ['accept-encoding', 'identity'],
  ['x-forwarded-proto', 'http'],
] as const;
const requestId = '3c8f8c7c-0d3f-4f8e-b6a1-2b0f1f7a1c11';
const out = Buffer.alloc(8192);

function listOf(pairs: readonly (readonly [string, string])[]): FieldList {
  return FieldList.of(...pairs.map(([name, value]) => new Field(name, value)));
}

/** The block of these fields once they are all in the table. */
function warmBlock(pairs: readonly (readonly [string, string])[]): {
  readonly before: Buffer;
  readonly block: Buffer;
} {
  const encoder = new HpackEncoder(4096);
  const list = listOf(pairs);
  const write = (): Buffer => Buffer.from(out.subarray(0, encoder.encode(list, out, 0)));
  return { before: Buffer.concat([write(), write()]), block: write() };
}

const decoder = new HpackDecoder({ maxTableSize: 4096, maxListBytes: 61_440, maxFields: 100 });
const list = new FieldList();

function decode(block: Buffer): FieldList {
  const error = decoder.decode(block, 0, block.length, list);
  if (error !== 0) throw new Error(`the decoder answers ${error}`);
  return list;
}

const { before, block } = warmBlock(request);
decode(before);
// As nghttp2 writes it: the path is a literal each time.
const text = request[2][1];
const literalPath = Buffer.alloc(2 + huffmanLength(text), 0x04);
literalPath[1] = 0x80 | huffmanLength(text);
writeHuffman(text, literalPath, 2);
const withLiteral = Buffer.concat([literalPath, block.subarray(0, 2), block.subarray(3)]);
decode(withLiteral);

const warm = new HpackEncoder(4096);
const warmList = FieldList.of(...decode(block).fields.slice(0, list.length));
for (let i = 0; i < 3; i++) warm.encode(warmList, out, 0);

const codedId = Buffer.alloc(huffmanLength(requestId));
writeHuffman(requestId, codedId, 0);
const scratch = Buffer.alloc(huffmanRoom(codedId.length));
const decodeOnce = new HpackDecoder({ maxTableSize: 0, maxListBytes: 61_440, maxFields: 100 });
const fresh = Buffer.alloc(0x41);
let count = 0;

/** A block with one request id that never came before. */
function freshBlock(): Buffer {
  count++;
  fresh.write(
    `\u0000\u000cx-request-id$${requestId.slice(0, 28)}${(count & 0xffffff).toString(16).padStart(8, '0')}`,
    'latin1',
  );
  return fresh.subarray(0, 51);
}

bench('read a block of 10 fields that are in the table', () => decode(block));
bench('the same with :path as a literal', () => decode(withLiteral));
bench('check the fields', () => checkRequest(warmList, false));
bench('write 10 fields that are in the table', () => warm.encode(warmList, out, 0));
bench('read, check and write', () => {
  const fields = decode(block);
  return checkRequest(fields, false) + warm.encode(fields, out, 0);
});
bench('read a new request id', () => {
  const one = freshBlock();
  return decodeOnce.decode(one, 0, one.length, list);
});
bench('read 36 characters of Huffman code', () => readHuffman(codedId, 0, codedId.length, scratch));
bench('write 36 characters in Huffman code', () =>
  huffmanLength(requestId) + writeHuffman(requestId, out, 0));

await run();
