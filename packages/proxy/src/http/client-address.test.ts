import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientAddress, fromTheRight } from './client-address.ts';
import { InternalAddresses } from './internal-addresses.ts';

const rfc1918 = new InternalAddresses([
  { address: '10.0.0.0', bits: 8 },
  { address: '172.16.0.0', bits: 12 },
  { address: '192.168.0.0', bits: 16 },
  { address: 'fd00::', bits: 8 },
]);

interface Case {
  readonly name: string;
  readonly useRemoteAddress: boolean;
  readonly trustedHops: number;
  readonly forwardedFor: string | null;
  readonly peer: string;
  readonly client: string;
  readonly isInternal?: true;
}

const three = '203.0.113.128, 203.0.113.10, 203.0.113.1';

// The first six are the worked examples of Envoy's documentation of X-Forwarded-For; the others were tried with Envoy 1.40.
const cases: readonly Case[] = [
  {
    name: 'an edge proxy without trusted hops believes the connection',
    useRemoteAddress: true,
    trustedHops: 0,
    forwardedFor: three,
    peer: '192.0.2.5',
    client: '192.0.2.5',
  },
  {
    name: 'an inner proxy behind it believes the last address',
    useRemoteAddress: false,
    trustedHops: 0,
    forwardedFor: `${three}, 192.0.2.5`,
    peer: '10.11.12.13',
    client: '192.0.2.5',
  },
  {
    name: 'an edge proxy behind two trusted ones believes the second address from the right',
    useRemoteAddress: true,
    trustedHops: 2,
    forwardedFor: three,
    peer: '192.0.2.5',
    client: '203.0.113.10',
  },
  {
    name: 'an inner proxy behind these believes the third',
    useRemoteAddress: false,
    trustedHops: 2,
    forwardedFor: `${three}, 192.0.2.5`,
    peer: '10.11.12.13',
    client: '203.0.113.10',
  },
  {
    name: 'without the header an inner client is still not internal',
    useRemoteAddress: false,
    trustedHops: 0,
    forwardedFor: null,
    peer: '10.20.30.40',
    client: '10.20.30.40',
  },
  {
    name: 'one internal address is an internal client',
    useRemoteAddress: false,
    trustedHops: 0,
    forwardedFor: '10.20.30.40',
    peer: '10.20.30.50',
    client: '10.20.30.40',
    isInternal: true,
  },
  {
    name: 'an internal peer of an edge proxy is internal',
    useRemoteAddress: true,
    trustedHops: 0,
    forwardedFor: null,
    peer: '10.0.0.1',
    client: '10.0.0.1',
    isInternal: true,
  },
  {
    name: 'an internal peer that forwards is external',
    useRemoteAddress: true,
    trustedHops: 0,
    forwardedFor: '10.1.1.1',
    peer: '10.0.0.1',
    client: '10.0.0.1',
  },
  {
    name: 'fewer addresses than trusted hops: the peer',
    useRemoteAddress: false,
    trustedHops: 1,
    forwardedFor: '10.1.1.1',
    peer: '127.0.0.1',
    client: '127.0.0.1',
  },
  {
    name: 'an IPv6 address counts like any other',
    useRemoteAddress: false,
    trustedHops: 0,
    forwardedFor: ' fd00::1 ',
    peer: '127.0.0.1',
    client: 'fd00::1',
    isInternal: true,
  },
  ...['10.0.0.1:80', '[fd00::1]:80', '10.0.0.1,', '10.0.0.01', 'unknown', '"10.0.0.1"', ''].map(
    (forwardedFor): Case => ({
      name: `${forwardedFor} is no address`,
      useRemoteAddress: false,
      trustedHops: 0,
      forwardedFor,
      peer: '127.0.0.1',
      client: '127.0.0.1',
    }),
  ),
  {
    name: 'an address behind an empty one is not alone',
    useRemoteAddress: false,
    trustedHops: 0,
    forwardedFor: ',10.0.0.1',
    peer: '127.0.0.1',
    client: '10.0.0.1',
  },
];

describe('the client of a request', () => {
  for (const { name, useRemoteAddress, trustedHops, forwardedFor, peer, client, isInternal } of cases) {
    test(name, () => {
      const found = new ClientAddress();
      found.resolve(forwardedFor, peer, 1234, { useRemoteAddress, trustedHops, internal: rfc1918 });
      assert.deepEqual(
        [found.address, found.port, found.isInternal, found.isEdge],
        [client, client === peer ? 1234 : 0, isInternal === true, useRemoteAddress && isInternal !== true],
      );
    });
  }

  test('nobody is internal without a configuration', () => {
    const found = new ClientAddress();
    const internal = new InternalAddresses([]);
    found.resolve('10.0.0.1', '10.0.0.2', 1, { useRemoteAddress: false, trustedHops: 0, internal });
    assert.equal(found.isInternal, false);
  });
});

test('counts addresses from the right, however few there are', () => {
  const list = '1.1.1.1,2.2.2.2 , 3.3.3.3';
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((skipped) => fromTheRight(list, skipped)),
    ['3.3.3.3', '2.2.2.2', '1.1.1.1', '', ''],
  );
  assert.deepEqual(
    [0, 1, 2].map((skipped) => fromTheRight(',1.1.1.1', skipped)),
    ['1.1.1.1', '', ''],
  );
});
