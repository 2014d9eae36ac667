import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { array, assert as check, boolean, property, string, uint8Array } from 'fast-check';
import { splitMessage } from './split-message.ts';

test('the parts of a message hold what the whole does', () => {
  const names = array(string(), { maxLength: 20 });
  check(
    property(string(), names, boolean(), (name, hosts, ignorePortInHostMatching) => {
      const message = RouteConfiguration.fromPartial({
        name,
        ignorePortInHostMatching,
        virtualHosts: hosts.map((host) => ({ name: host, domains: [host, '*'] })),
      });
      const split = splitMessage(RouteConfiguration.encode(message).finish(), 2);
      assert.ok(split !== null);
      const rest = RouteConfiguration.decode(split.rest);
      const virtualHosts = split.items.map((item) => {
        const part = RouteConfiguration.decode(item);
        assert.equal(part.virtualHosts.length, 1);
        return part.virtualHosts[0]!;
      });
      assert.deepEqual({ ...rest, virtualHosts }, message);
    }),
  );
});

test('all kinds of values are passed over', () => {
  // Field 1 varint, 3 fixed64, 4 fixed32, 5 bytes, and in between two items of field 2.
  const bytes = Buffer.from('08ffffffff0f1202aabb190102030405060708120025010203042a0161', 'hex');
  const split = splitMessage(bytes, 2);
  assert.deepEqual(
    split?.items.map((item) => Buffer.from(item).toString('hex')),
    ['1202aabb', '1200'],
  );
  assert.equal(
    Buffer.from(split?.rest ?? []).toString('hex'),
    '08ffffffff0f19010203040506070825010203042a0161',
  );
});

test('never reads past the end, and gives null for bytes that are cut off', () => {
  for (const hex of [
    '12',
    '1205aa',
    '0aff',
    '19010203',
    '25',
    '0b',
    'ffffffffffffffffffffff',
    '12ffffffff0f',
  ]) {
    assert.equal(splitMessage(Buffer.from(hex, 'hex'), 2), null, hex);
  }
  check(
    property(uint8Array({ maxLength: 64 }), (bytes) => {
      const split = splitMessage(bytes, 2);
      if (split === null) return;
      const length = split.items.reduce((sum, item) => sum + item.length, split.rest.length);
      assert.equal(length, bytes.length);
    }),
  );
});
