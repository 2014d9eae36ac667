import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Base64Encoder, maxEncodedBytes } from './base64-encoder.ts';

function message(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** The characters of bytes that come in pieces of these sizes, the last repeated; one string for each piece. */
function encode(bytes: Buffer, sizes: readonly number[], encoder = new Base64Encoder()): string[] {
  const parts: string[] = [];
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const end = Math.min(at + sizes[Math.min(piece, sizes.length - 1)]!, bytes.length);
    const output = Buffer.alloc(maxEncodedBytes(end - at));
    parts.push(output.toString('latin1', 0, encoder.encode(bytes, at, end, output, 0)));
    at = end;
  }
  return parts;
}

const contents = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });

test('each message is a piece of its own, as Envoy writes it, however its bytes are cut', () => {
  const stream = Buffer.concat([message('one'), message('twoo'), message(''), message('thr')]);
  const expected = 'AAAAAANvbmU=AAAAAAR0d29vAAAAAAA=AAAAAAN0aHI=';
  for (let size = 1; size <= stream.length; size++) assert.equal(encode(stream, [size]).join(''), expected);
  fc.assert(
    fc.property(contents, sizes, (contents, sizes) => {
      const messages = contents.map((content) => message(content));
      const expected = messages.map((bytes) => bytes.toString('base64')).join('');
      assert.equal(encode(Buffer.concat(messages), sizes).join(''), expected);
    }),
  );
});

test('a message can be read when its last byte has come', () => {
  const [first, second] = encode(Buffer.concat([message('a'), message('b')]), [6, 6]);
  assert.equal(Buffer.from(first!, 'base64').toString('latin1'), '\0\0\0\0\u0001a');
  assert.equal(Buffer.from(second!, 'base64').toString('latin1'), '\0\0\0\0\u0001b');
});

test('what comes of a message that breaks off is whole base64 in the end', () => {
  for (let length = 0; length <= 12; length++) {
    const bytes = message('1234567').subarray(0, length);
    const encoder = new Base64Encoder();
    const parts = encode(bytes, [5], encoder);
    const output = Buffer.alloc(4);
    parts.push(output.toString('latin1', 0, encoder.finish(output, 0)));
    assert.equal(parts.join(''), bytes.toString('base64'));
  }
});
