import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualAddresses } from './virtual-addresses.ts';

test('a host has its address whatever the others are, and keeps it', () => {
  const one = new VirtualAddresses();
  one.update(new Set(['reviews.default.svc.cluster.local']));
  const address = one.get('reviews.default.svc.cluster.local')!;
  assert.match(address.v4, /^240\.240\.\d+\.\d+$/);
  assert.match(address.v6, /^2001:2::f0f0:[0-9a-f]+$/);
  const other = new VirtualAddresses();
  other.update(new Set(['a.test', 'reviews.default.svc.cluster.local', 'z.test']));
  assert.deepEqual(other.get('reviews.default.svc.cluster.local'), address);
  other.update(new Set(['z.test']));
  assert.equal(other.get('reviews.default.svc.cluster.local'), null);
});

test('no two hosts have the same address, and none ends in 0 or 255', () => {
  const addresses = new VirtualAddresses();
  const hosts = Array.from({ length: 20_000 }, (_, index) => `host-${index}.test`);
  addresses.update(new Set(hosts));
  const all = hosts.map((host) => addresses.get(host)!.v4);
  assert.equal(new Set(all).size, hosts.length);
  assert.ok(all.every((address) => !/\.(?:0|255)$/.test(address)));
  assert.equal(new Set(hosts.map((host) => addresses.get(host)!.v6)).size, hosts.length);
});

test('a host that comes later takes nobody’s address', () => {
  const addresses = new VirtualAddresses();
  const later = Array.from({ length: 20_000 }, (_, index) => `a-${index}.test`);
  const first = new Set(['m.test', 'n.test']);
  addresses.update(first);
  const before = [...first].map((host) => addresses.get(host));
  addresses.update(new Set([...first, ...later]));
  assert.deepEqual(
    [...first].map((host) => addresses.get(host)),
    before,
  );
});
