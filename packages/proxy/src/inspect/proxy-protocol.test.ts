import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { TcpAddress } from '../transport/transport.ts';
import { type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';
import { proxyHeader } from './proxy-protocol-writer.ts';

function read(bytes: Buffer | string): ProxyHeader {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  return readProxyHeader(buffer, buffer.length);
}

/** A header as `source > destination length`, or what kind of answer there is. */
function show(header: ProxyHeader): string {
  if (header.kind !== 'header') return header.kind;
  const { addresses, length, version } = header;
  const text = ({ host, port }: TcpAddress): string => `${host}/${port}`;
  return `v${version} ${addresses === null ? '-' : `${text(addresses.source)} > ${text(addresses.destination)}`} ${length}`;
}

const signature = '0d0a0d0a000d0a515549540a';

/** Version 2: hexadecimal digits behind the signature. */
function binary(digits: string): Buffer {
  return Buffer.from(signature + digits.replaceAll(' ', ''), 'hex');
}

const cases: readonly [string, Buffer | string, string][] = [
  ['TCP4', 'PROXY TCP4 1.2.3.4 5.6.7.8 0 65535\r\nGET', 'v1 1.2.3.4/0 > 5.6.7.8/65535 36'],
  ['TCP6', 'PROXY TCP6 ::1 fd00::2 1 2\r\n', 'v1 ::1/1 > fd00::2/2 28'],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n', 'v1 - 15'],
  ['UNKNOWN with something behind it', 'PROXY UNKNOWN x y\r\n', 'v1 - 19'],
  ['a line that goes on', 'PROXY TCP4 1.2.3.4', 'incomplete'],
  ['its first letter', 'P', 'incomplete'],
  ['nothing', '', 'incomplete'],
  ['HTTP', 'POST / HTTP/1.1\r\n', 'none'],
  ['a lower-case line', 'proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 'none'],
  ['another family', 'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n', 'invalid'],
  ['UNKNOWNX', 'PROXY UNKNOWNX\r\n', 'invalid'],
  ['an address of the other family', 'PROXY TCP4 ::1 5.6.7.8 1 2\r\n', 'invalid'],
  ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n', 'invalid'],
  ['an address with leading zeros', 'PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n', 'invalid'],
  ['two spaces', 'PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n', 'invalid'],
  ['a space at the end', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n', 'invalid'],
  ['a port with a leading zero', 'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n', 'invalid'],
  ['a port with a sign', 'PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n', 'invalid'],
  ['a port too large', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n', 'invalid'],
  ['no destination port', 'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n', 'invalid'],
  ['a bare line feed', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n', 'invalid'],
  ['107 bytes without an end', `PROXY UNKNOWN ${'x'.repeat(93)}`, 'invalid'],
  ['106 bytes without an end', `PROXY UNKNOWN ${'x'.repeat(92)}`, 'incomplete'],
  ['v2 TCP over IPv4', binary('21 11 000c 01020304 05060708 0001 ffff'), 'v2 1.2.3.4/1 > 5.6.7.8/65535 28'],
  [
    'v2 TCP over IPv6',
    binary(`21 21 0024 ${'0'.repeat(31)}1 fd00${'0'.repeat(27)}2 0001 0002`),
    'v2 ::1/1 > fd00::2/2 52',
  ],
  ['v2 LOCAL', binary('20 00 0000'), 'v2 - 16'],
  ['v2 LOCAL with anything', binary('20 11 0003 010203'), 'v2 - 19'],
  ['v2 UNSPEC', binary('21 00 0002 0102'), 'v2 - 18'],
  ['v2 Unix stream', binary(`21 31 00d8 ${'00'.repeat(216)}`), 'v2 - 232'],
  ['v2 Unix stream too short', binary(`21 31 00d7 ${'00'.repeat(215)}`), 'invalid'],
  [
    'v2 with TLVs',
    binary('21 11 0013 01020304 05060708 0001 0002 04 0001 00 ea 0000'),
    'v2 1.2.3.4/1 > 5.6.7.8/2 35',
  ],
  [
    'v2 with a TLV that reaches too far',
    binary('21 11 0010 01020304 05060708 0001 0002 04 0002 00'),
    'invalid',
  ],
  ['v2 with half a TLV', binary('21 11 000e 01020304 05060708 0001 0002 04 00'), 'invalid'],
  ['v2 too short for its addresses', binary('21 11 000b 01020304 05060708 0001 00'), 'invalid'],
  ['v2 over UDP', binary('21 12 000c 01020304 05060708 0001 0002'), 'invalid'],
  ['v2 with another command', binary('22 11 000c 01020304 05060708 0001 0002'), 'invalid'],
  ['v2 with another version', binary('31 11 000c 01020304 05060708 0001 0002'), 'invalid'],
  ['v2 longer than is kept', binary('21 11 4001'), 'invalid'],
  ['v2 that goes on', binary('21 11 000c 0102'), 'incomplete'],
  ['the signature alone', binary(''), 'incomplete'],
];
for (const [name, bytes, expected] of cases) {
  test(`${name}: ${expected}`, () => assert.equal(show(read(bytes)), expected));
}

const address = fc.record({ port: fc.nat(65_535), index: fc.nat(255) });
const families = [
  (index: number): string => `192.0.2.${index}`,
  (index: number): string => `2001:db8::${(index + 1).toString(16)}`,
] as const;

test('what is written is read back, whatever follows, and no shorter part of it is a header', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<1 | 2>(1, 2),
      fc.constantFrom(...families),
      address,
      address,
      (version, host, a, b) => {
        const source = { host: host(a.index), port: a.port };
        const destination = { host: host(b.index), port: b.port };
        const header = proxyHeader(version, source, destination);
        const expected = {
          kind: 'header',
          version,
          length: header.length,
          addresses: { source, destination },
        };
        assert.deepEqual(read(Buffer.concat([header, Buffer.from('GET')])), expected);
        for (let length = 0; length < header.length; length++) {
          assert.equal(read(header.subarray(0, length)).kind, 'incomplete');
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('addresses that are none, or of two families, are not told', () => {
  const [four, six] = [
    { host: '1.2.3.4', port: 1 },
    { host: '::1', port: 2 },
  ];
  for (const version of [1, 2] as const) {
    const pairs = [
      [null, null],
      [four, six],
      [four, null],
      [{ host: '/socket', port: 0 }, four],
    ] as const;
    for (const [source, destination] of pairs) {
      const header = read(proxyHeader(version, source, destination));
      assert.ok(header.kind === 'header' && header.addresses === null);
    }
  }
});

test('an IPv4 address as dual-stack sockets show it is IPv4', () => {
  const source = { host: '::ffff:1.2.3.4', port: 1 };
  const destination = { host: '5.6.7.8', port: 2 };
  assert.equal(proxyHeader(1, source, destination).toString(), 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n');
  assert.equal(show(read(proxyHeader(2, source, destination))), 'v2 1.2.3.4/1 > 5.6.7.8/2 28');
});
