import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadBuffers, bulkReadBytes, readBufferBytes } from './read-buffers.ts';

test('small reads share one buffer', () => {
  const buffers = new ReadBuffers();
  assert.equal(buffers.next(null, bulkReadBytes - 1), null);
});

test('a socket of bulk keeps its buffer while nobody else holds it', () => {
  const buffers = new ReadBuffers();
  const own = buffers.next(null, readBufferBytes)!;
  assert.equal(own.bytes.length, 4 * readBufferBytes);
  assert.equal(buffers.next(own, readBufferBytes), own);
});

test('a buffer that a write holds is read into by nobody until the write ends', () => {
  const buffers = new ReadBuffers();
  const own = buffers.next(null, readBufferBytes)!;
  own.users++;
  const second = buffers.next(own, readBufferBytes)!;
  assert.notEqual(second, own);
  assert.notEqual(buffers.next(null, readBufferBytes), own);
  buffers.release(own);
  assert.equal(buffers.next(null, readBufferBytes), own);
});

test('a socket that goes back to small reads gives its buffer up', () => {
  const buffers = new ReadBuffers();
  const own = buffers.next(null, readBufferBytes)!;
  assert.equal(buffers.next(own, 100), null);
  assert.equal(buffers.next(null, readBufferBytes), own);
});

test('large buffers are few: what comes after them gets smaller ones until some are back', () => {
  const buffers = new ReadBuffers();
  const large = Array.from({ length: 64 }, () => buffers.next(null, readBufferBytes)!);
  const small = buffers.next(null, readBufferBytes)!;
  assert.equal(small.bytes.length, readBufferBytes);
  buffers.release(small);
  assert.equal(buffers.next(null, readBufferBytes)!.bytes.length, readBufferBytes);
  buffers.release(large[0]!);
  assert.equal(buffers.next(null, readBufferBytes), large[0]);
});
