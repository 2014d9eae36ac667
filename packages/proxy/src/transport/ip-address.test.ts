import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import { isIpv6Address } from './ip-address.ts';

test('tells the families of addresses apart as Node does', () => {
  for (const address of [
    '0.0.0.0',
    '127.0.0.1',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '2001:db8:0:0:1:2:3:4',
  ]) {
    assert.equal(isIpv6Address(address), isIPv6(address), address);
  }
});
