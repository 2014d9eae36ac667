import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CidrRange, FilterChainMatchConfig } from '../config/listener-config.ts';
import { addressBytes } from '../transport/ip-address.ts';
import { type ConnectionTraits, FilterChainMatcher, matchesAll } from './filter-chain-matcher.ts';

type Match = Partial<FilterChainMatchConfig>;

function range(text: string): CidrRange {
  const [address, bits] = text.split('/');
  return { bytes: addressBytes(address!), bits: Number(bits) };
}

function complete(match: Match): FilterChainMatchConfig {
  return Object.assign({}, matchesAll, match);
}

const connection: ConnectionTraits = {
  destinationAddress: '10.0.0.1',
  destinationPort: 443,
  serverName: 'www.example.com',
  transportProtocol: 'tls',
  applicationProtocols: ['h2', 'http/1.1'],
  directSourceAddress: '192.168.0.9',
  sourceAddress: '192.168.1.9',
  sourcePort: 5000,
};

/** Each case: chains, what differs from `connection`, and the index of the chain that takes it. */
const cases: readonly [string, readonly Match[], Partial<ConnectionTraits>, number][] = [
  ['the only chain, which asks for nothing', [{}], {}, 0],
  [
    'the port before everything else',
    [{ serverNames: ['www.example.com'] }, { destinationPort: 443 }],
    {},
    1,
  ],
  ['another port', [{ destinationPort: 80 }, {}], {}, 1],
  [
    'a port that matches keeps chains without a port out',
    [{ destinationPort: 443, serverNames: ['a'] }, {}],
    {},
    -1,
  ],
  [
    'the longest range',
    [
      { destinationRanges: [range('10.0.0.0/8')] },
      { destinationRanges: [range('10.0.0.0/24'), range('11.0.0.0/8')] },
      {},
    ],
    {},
    1,
  ],
  [
    'the longest range, in whatever order',
    [{ destinationRanges: [range('10.0.0.0/24')] }, { destinationRanges: [range('10.0.0.0/8')] }],
    {},
    0,
  ],
  ['no range', [{ destinationRanges: [range('10.1.0.0/16')] }, {}], {}, 1],
  [
    'an IPv4 address as dual-stack sockets show it',
    [{ destinationRanges: [range('10.0.0.0/8')] }],
    { destinationAddress: '::ffff:10.0.0.1' },
    0,
  ],
  [
    'an IPv6 range',
    [{ destinationRanges: [range('fd00::/17')] }, { destinationRanges: [range('fd00:8000::/17')] }],
    { destinationAddress: 'fd00:8001::1' },
    1,
  ],
  ['a zero range is all of its family', [{ destinationRanges: [range('0.0.0.0/0')] }], {}, 0],
  [
    'a zero range is nothing of the other family',
    [{ destinationRanges: [range('0.0.0.0/0')] }],
    { destinationAddress: '::1' },
    -1,
  ],
  [
    'the exact name before a wildcard',
    [{ serverNames: ['*.example.com'] }, { serverNames: ['www.example.com'] }],
    {},
    1,
  ],
  ['the longer wildcard', [{ serverNames: ['*.com'] }, { serverNames: ['*.example.com'] }], {}, 1],
  ['the shorter wildcard', [{ serverNames: ['*.com'] }, { serverNames: ['*.example.org'] }], {}, 0],
  ['a wildcard is not the name itself', [{ serverNames: ['*.www.example.com'] }, {}], {}, 1],
  ['no name', [{ serverNames: ['*.com'] }, {}], { serverName: '' }, 1],
  ['the transport protocol', [{ transportProtocol: 'raw_buffer' }, { transportProtocol: 'tls' }], {}, 1],
  [
    'the name before the transport protocol',
    [{ transportProtocol: 'tls' }, { serverNames: ['*.com'] }],
    {},
    1,
  ],
  [
    "the client's first protocol that anybody has",
    [{ applicationProtocols: ['http/1.1'] }, { applicationProtocols: ['h2'] }],
    {},
    1,
  ],
  ['no such protocol', [{ applicationProtocols: ['h3'] }, {}], {}, 1],
  [
    'the direct source before the source',
    [{ sourceRanges: [range('192.168.1.9/32')] }, { directSourceRanges: [range('192.168.0.0/16')] }],
    {},
    1,
  ],
  ['an external source', [{ sourceType: 'same-ip-or-loopback' }, { sourceType: 'external' }, {}], {}, 1],
  [
    'a loopback source',
    [{ sourceType: 'same-ip-or-loopback' }, { sourceType: 'external' }],
    { sourceAddress: '127.0.0.2' },
    0,
  ],
  [
    'the same address',
    [{ sourceType: 'same-ip-or-loopback' }, { sourceType: 'external' }],
    { sourceAddress: '10.0.0.1' },
    0,
  ],
  ['any source', [{ sourceType: 'same-ip-or-loopback' }, {}], {}, 1],
  [
    'the longest source range',
    [{ sourceRanges: [range('192.168.0.0/16')] }, { sourceRanges: [range('192.168.1.8/31')] }],
    {},
    1,
  ],
  ['the source port', [{}, { sourcePorts: [4999, 5000] }], {}, 1],
  ['another source port', [{}, { sourcePorts: [4999] }], {}, 0],
  ['nothing at all', [{ destinationPort: 80 }], {}, -1],
];

for (const [name, matches, changes, expected] of cases) {
  test(`chooses by ${name}`, () => {
    const matcher = new FilterChainMatcher(matches.map(complete));
    assert.deepEqual(matcher.duplicates, []);
    assert.equal(matcher.find({ ...connection, ...changes }), expected);
  });
}

test('tells which chains match the same connections', () => {
  const matches: readonly (Match | null)[] = [
    { serverNames: ['a', 'b'] },
    { serverNames: ['b', 'c'] },
    null,
    {},
    { serverNames: ['d'] },
  ];
  const matcher = new FilterChainMatcher(matches.map((match) => (match === null ? null : complete(match))));
  assert.deepEqual(matcher.duplicates, [
    [1, 0],
    [3, 2],
  ]);
});

test('a destination decides where the chains for it ask for nothing else', () => {
  const http: Match = { applicationProtocols: ['http/1.1'] };
  const one: Match = { destinationPort: 3306, destinationRanges: [range('10.0.0.1/32')] };
  const other: Match = { destinationPort: 3306, destinationRanges: [range('10.0.0.2/32')], ...http };
  const matcher = new FilterChainMatcher([http, one, other].map(complete));
  const decided = (address: string, port: number): boolean => matcher.isDecidedBy(address, port);
  assert.deepEqual(
    [
      decided('10.0.0.1', 3306),
      decided('10.0.0.2', 3306),
      decided('10.0.0.3', 3306),
      decided('10.0.0.1', 80),
    ],
    [true, false, false, false],
  );
  const twice = new FilterChainMatcher([one, { ...one, sourcePorts: [5000] }].map(complete));
  assert.equal(twice.isDecidedBy('10.0.0.1', 3306), false);
  // Whoever names no destinations wants what he has asked for to be looked at.
  assert.equal(new FilterChainMatcher([complete({})]).isDecidedBy('10.0.0.1', 3306), false);
});
