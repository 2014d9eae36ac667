import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseInterfaces,
  parseMark,
  parsePortSelection,
  parsePorts,
  parseRangeSelection,
  parseRanges,
  parseRouteTable,
} from './parse-options.ts';

test('reads lists, and an empty text as an empty list', () => {
  assert.deepEqual(parsePorts('80,443'), [80, 443]);
  assert.deepEqual(parsePorts(''), []);
  assert.equal(parsePortSelection('*'), '*');
  assert.deepEqual(parsePortSelection('80'), [80]);
  assert.deepEqual(parseRanges('10.0.0.0/8,192.0.2.1,fd00::/8,::1'), [
    '10.0.0.0/8',
    '192.0.2.1/32',
    'fd00::/8',
    '::1/128',
  ]);
  assert.equal(parseRangeSelection('*'), '*');
  assert.deepEqual(parseInterfaces('eth1,docker0'), ['eth1', 'docker0']);
  assert.equal(parseMark('0x539'), 1337);
  assert.equal(parseRouteTable('133'), 133);
});

test('refuses what the packet filter could take for something else', () => {
  for (const input of ['0', '65536', '80,', '80-90', ' 80', '*,80'])
    assert.throws(() => parsePortSelection(input), /no port/, input);
  for (const input of [
    '10.0.0.0/33',
    '10.0.0.0/',
    'fd00::/129',
    '10.0.0.0/8/8',
    'example.com',
    'fe80::1%lo',
    '10.0.0.0/-1',
    ',',
  ])
    assert.throws(() => parseRanges(input), /no address range/, input);
  for (const input of ['a b', 'eth+', '"', 'a234567890123456', ';', ','])
    assert.throws(() => parseInterfaces(input), /no name of a network interface/, input);
  for (const input of ['0', '4294967295', '-1', '1.5', 'x'])
    assert.throws(() => parseMark(input), /no mark/, input);
  for (const input of ['0', '254', '255', '253', 'main'])
    assert.throws(() => parseRouteTable(input), /no routing table/, input);
});
