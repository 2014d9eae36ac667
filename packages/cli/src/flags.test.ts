import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseAdvertisedAddress,
  parseBindAddress,
  parseCount,
  parseDurationMs,
  parseHostPort,
  parseLabel,
  parseName,
  parsePort,
  parsePortOrZero,
  parseRevision,
  parseUpstream,
} from './flags.ts';

test('takes ports from 1 to 65535 only, and 0 where it has a meaning', () => {
  assert.equal(parsePort('9080'), 9080);
  assert.equal(parsePortOrZero('0'), 0);
  for (const input of ['0', '65536', '-1', '80x', '', '1e3', ' 80']) {
    assert.throws(() => parsePort(input), /is no port/, input);
  }
});

test('takes 0 and whole numbers as revisions, and says so', () => {
  assert.deepEqual(['0', '12'].map(parseRevision), [0, 12]);
  for (const input of ['-1', '01', '1.5', ''])
    assert.throws(() => parseRevision(input), /write 0 or a whole number/);
});

test('takes DNS labels as names', () => {
  assert.equal(parseName('reviews-v1'), 'reviews-v1');
  for (const input of ['', 'Reviews', 'a.b', '-a', 'a-', 'a_b', '../x', 'a'.repeat(64)]) {
    assert.throws(() => parseName(input), /is no name/, input);
  }
});

test('reads addresses to bind, a port alone on the default one', () => {
  assert.deepEqual(parseBindAddress('8080', '127.0.0.1'), { address: '127.0.0.1', port: 8080 });
  assert.deepEqual(parseBindAddress('0.0.0.0:8080', '127.0.0.1'), { address: '0.0.0.0', port: 8080 });
  assert.deepEqual(parseBindAddress('[::]:80', '127.0.0.1'), { address: '::', port: 80 });
  assert.deepEqual(parseBindAddress('localhost:80', '127.0.0.1'), { address: '127.0.0.1', port: 80 });
  for (const input of ['example.com:80', ':80', '1.2.3.4:', '::1']) {
    assert.throws(() => parseBindAddress(input, '127.0.0.1'), /./, input);
  }
});

test('reads advertised addresses, with a port or without', () => {
  assert.deepEqual(parseAdvertisedAddress('10.0.0.5'), { address: '10.0.0.5', port: null });
  assert.deepEqual(parseAdvertisedAddress('10.0.0.5:25001'), { address: '10.0.0.5', port: 25_001 });
  assert.deepEqual(parseAdvertisedAddress('fd00::5'), { address: 'fd00::5', port: null });
  assert.deepEqual(parseAdvertisedAddress('[fd00::5]:25001'), { address: 'fd00::5', port: 25_001 });
  for (const input of ['', '25001', 'host:80', '10.0.0.5:', '10.0.0.5:0', '10.0.0.5:65536', '[10.0.0.5:1']) {
    assert.throws(() => parseAdvertisedAddress(input), /./, input);
  }
});

test('reads host:port', () => {
  assert.equal(parseHostPort('mesh.example:15011'), 'mesh.example:15011');
  assert.equal(parseHostPort('[::1]:15011'), '[::1]:15011');
  for (const input of ['mesh', 'mesh:', 'mesh:x', 'http://mesh:80', 'mesh:70000']) {
    assert.throws(() => parseHostPort(input), /./, input);
  }
});

test("reads labels with Kubernetes' rules", () => {
  assert.deepEqual(parseLabel('version=v1'), ['version', 'v1']);
  assert.deepEqual(parseLabel('example.com/team=a.b_c'), ['example.com/team', 'a.b_c']);
  assert.deepEqual(parseLabel('empty='), ['empty', '']);
  for (const input of ['version', '=v1', 'a b=c']) {
    assert.throws(() => parseLabel(input), /is no label/, input);
  }
  for (const input of ['a=b c', 'a=-b']) assert.throws(() => parseLabel(input), /is no value/, input);
});

test('reads durations with a unit', () => {
  assert.equal(parseDurationMs('30s'), 30_000);
  assert.equal(parseDurationMs('1.5m'), 90_000);
  assert.equal(parseDurationMs('250ms'), 250);
  for (const input of ['30', 's', '-1s', '1 s', '1w']) {
    assert.throws(() => parseDurationMs(input), /is no duration/, input);
  }
});

test('takes whole numbers of at least one as counts', () => {
  assert.equal(parseCount('10'), 10);
  for (const input of ['0', '1.5', '-1', '', '1e3']) assert.throws(() => parseCount(input), /./, input);
});

test("expands an upstream's short name with the caller's namespace", () => {
  const host = 'ratings.shop.svc.cluster.local';
  assert.deepEqual(parseUpstream('ratings:9080', 'shop'), { name: 'ratings', host, port: 9080 });
  assert.deepEqual(parseUpstream('ratings.shop:9080', 'default'), { name: 'ratings.shop', host, port: 9080 });
  assert.deepEqual(parseUpstream(`${host}:9080`, 'default'), { name: 'ratings.shop', host, port: 9080 });
  for (const input of ['ratings', ':9080', 'ratings:x', 'a.b.c:1', 'Ratings:1', 'http://ratings:80']) {
    assert.throws(() => parseUpstream(input, 'default'), /./, input);
  }
});
