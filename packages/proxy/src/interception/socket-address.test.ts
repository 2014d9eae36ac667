import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';

test('writes an IPv4 address as the kernel reads it', () => {
  const bytes = encodeSocketAddress({ host: '10.1.2.3', port: 0x1f90 });
  // AF_INET is 2 in the machine's order; the port goes over the network as it stands.
  assert.deepEqual(
    [...bytes.subarray(0, 8)],
    [...new Uint8Array(new Uint16Array([2]).buffer), 0x1f, 0x90, 10, 1, 2, 3],
  );
  assert.equal(bytes.length, 16);
});

test('reads back what it has written, IPv6 in its short form', () => {
  for (const host of [
    '10.1.2.3',
    '::1',
    '::',
    '2001:db8::1:0:0:7',
    'fd00::',
    '1:2:3:4:5:6:7:8',
    'fe80::ffff',
  ]) {
    assert.deepEqual(decodeSocketAddress(encodeSocketAddress({ host, port: 443 })), { host, port: 443 });
  }
});

test('takes an IPv4 address in an IPv6 one for what it is', () => {
  const bytes = encodeSocketAddress({ host: '::', port: 80 });
  bytes.set([0xff, 0xff, 10, 0, 0, 1], 18);
  assert.deepEqual(decodeSocketAddress(bytes), { host: '10.0.0.1', port: 80 });
});

test('writes an IPv4 address in an IPv6 one as such', () => {
  for (const host of ['::ffff:10.1.2.3', '::ffff:a01:203', '0:0:0:0:0:FFFF:a01:203']) {
    const bytes = encodeSocketAddress({ host, port: 80 });
    assert.equal(Buffer.from(bytes).toString('hex', 8, 24), '00000000000000000000ffff0a010203');
    assert.deepEqual(decodeSocketAddress(bytes), { host: '10.1.2.3', port: 80 });
  }
});

test('does not take another family for an address', () => {
  assert.equal(decodeSocketAddress(new Uint8Array(28)), null);
});
