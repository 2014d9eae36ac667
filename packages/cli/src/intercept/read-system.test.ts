import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayAdministerNetwork, mayChangeGroup, nameServers, numberOf, ownerNumber } from './read-system.ts';

test('finds the name servers, without what is none', () => {
  const text =
    '# nameserver 1.1.1.1\nsearch a.example\nnameserver 10.0.0.2\n nameserver fe80::1%eth0\nnameserver x\n';
  assert.deepEqual(nameServers(text), ['10.0.0.2', 'fe80::1']);
});

test('finds the number of a user by name, and takes numbers as they are', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nheddle:x:990:989::/:/bin/false\nheddle2:x:5:5::/:\n';
  assert.equal(numberOf('heddle', passwd), 990);
  assert.equal(numberOf('root', passwd), 0);
  assert.equal(numberOf('hedd', passwd), null);
  assert.equal(ownerNumber('1337', 'user'), 1337);
  assert.equal(ownerNumber('no such user', 'user'), null);
});

test('knows by the capability whether the packet filter may be changed', () => {
  assert.equal(mayAdministerNetwork('CapEff:\t0000000000001000\n'), true);
  assert.equal(mayAdministerNetwork('CapEff:\t000001ffffffffff\n'), true);
  assert.equal(mayAdministerNetwork('CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffefff\n'), false);
  assert.equal(mayAdministerNetwork(''), false);
  assert.equal(mayChangeGroup('CapEff:\t0000000000000040\n'), true);
  assert.equal(mayChangeGroup('CapEff:\t0000000000001000\n'), false);
});
