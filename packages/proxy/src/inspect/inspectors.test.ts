import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { clientHello } from '@heddle/testkit';
import { HttpSniffer } from './http-sniffer.ts';
import { InspectResult } from './inspect-result.ts';
import { TlsHelloScanner } from './tls-hello-scanner.ts';

interface Scanner {
  scan(buffer: Buffer, start: number, end: number): InspectResult;
}

/** Feeds `bytes` in pieces that end at `cuts`; the answer, as soon as there is one. */
function feed(scanner: Scanner, bytes: Buffer, cuts: readonly number[]): InspectResult {
  let at = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    const end = Math.min(cut, bytes.length);
    const result = scanner.scan(bytes, at, end);
    if (result !== InspectResult.needMore) return result;
    at = end;
  }
  return InspectResult.needMore;
}

function readHello(bytes: Buffer, cuts: readonly number[] = []): string {
  const scanner = new TlsHelloScanner();
  const result = feed(scanner, bytes, cuts);
  return `${result} ${scanner.serverName} ${scanner.applicationProtocols.join(',')}`;
}

function sniff(bytes: Buffer, cuts: readonly number[] = []): string {
  const sniffer = new HttpSniffer();
  return `${feed(sniffer, bytes, cuts)} ${sniffer.protocol}`;
}

const hello = clientHello({ serverName: 'WWW.Example.com', alpn: ['h2', 'http/1.1'] });
const [needMore, found, notFound, tooLarge] = [
  InspectResult.needMore,
  InspectResult.found,
  InspectResult.notFound,
  InspectResult.tooLarge,
];
const nothing = `${notFound}  `;

/** The handshake message of `hello` in records of at most `size` bytes. */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

/** `hello` with other bytes at one place. */
function changed(at: number, ...bytes: readonly number[]): Buffer {
  const copy = Buffer.from(hello);
  copy.set(bytes, at);
  return copy;
}

test('finds server name and protocols in a ClientHello', () => {
  assert.equal(readHello(hello), `${found} www.example.com h2,http/1.1`);
  assert.equal(readHello(clientHello({ serverName: '', alpn: [] })), `${found}  `);
  assert.equal(
    readHello(Buffer.concat([hello, Buffer.from('what follows')])),
    `${found} www.example.com h2,http/1.1`,
  );
});

test('finds them in a ClientHello that is spread over records', () => {
  for (const size of [1, 2, 3, 4, 5, 50, 500]) {
    assert.equal(readHello(inRecords(hello, size)), `${found} www.example.com h2,http/1.1`);
  }
});

/** `hello` with a byte more in its record. */
function longerRecord(): Buffer {
  const longer = Buffer.concat([hello, Buffer.from([1])]);
  longer.writeUInt16BE(longer.readUInt16BE(3) + 1, 3);
  return longer;
}

const noHellos: readonly [string, Buffer][] = [
  ['another kind of record', changed(0, 23)],
  ['another protocol', changed(1, 2)],
  ['another minor version than any', changed(2, 9)],
  ['an empty record', Buffer.concat([Buffer.from([22, 3, 1, 0, 0]), hello])],
  ['a record that goes on behind the message', longerRecord()],
  ['a record longer than TLS has', changed(3, 0x40, 1)],
  ['another handshake message', changed(5, 2)],
  ['a message shorter than its content', changed(8, hello[8]! - 1)],
  ['a session id that is too long', changed(43, 33)],
  ['no cipher suites', changed(76, 0, 0)],
  ['half a cipher suite', changed(76, 0, 1)],
  ['no compression method', changed(80, 0)],
  ['extensions that reach too far', changed(82, 0xff, 0xff)],
  ['extensions that end too early', changed(82, 0, 4)],
  ['a server name of another kind', changed(90, 1)],
  ['a server name that is longer than its list', changed(91, 0, 0xff)],
  ['a NUL in the server name', changed(93, 0)],
];
for (const [name, bytes] of noHellos) {
  test(`${name} is no ClientHello`, () => {
    assert.equal(readHello(bytes), nothing);
    assert.equal(readHello(bytes, Array.from(bytes.keys())), nothing);
  });
}

test('an extension that comes twice makes it none', () => {
  const twice = Buffer.concat([hello, hello.subarray(-7)]);
  for (const at of [3, 7, 82]) twice.writeUInt16BE(twice.readUInt16BE(at) + 7, at);
  assert.equal(readHello(twice), nothing);
});

test('a ClientHello of more than 16 KiB is too large, as soon as its length is known', () => {
  assert.equal(readHello(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfd])), `${tooLarge}  `);
  assert.equal(readHello(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc])), `${needMore}  `);
});

const lines: readonly [string, string][] = [
  ['GET / HTTP/1.1\r\n', `${found} http/1.1`],
  ['GET / HTTP/1.1\nhost: a', `${found} http/1.1`],
  ['\r\n\nPROPFIND /x%20y?z HTTP/1.0\r\n', `${found} http/1.0`],
  ['PRI * HTTP/1.1\r\n', `${found} http/1.1`],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', `${found} h2c`],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r', `${needMore} `],
  ['PRI * HTTP/2.0\r\n\r\nSN', `${notFound} `],
  ['GET / HTTP/1.1', `${needMore} `],
  ['GET / HTTP/1.2\r\n', `${notFound} `],
  ['GET / HTTP/2.0\r\n', `${notFound} `],
  ['GET /\r\n', `${notFound} `],
  ['GET  / HTTP/1.1\r\n', `${notFound} `],
  ['G ET / HTTP/1.1\r\n', `${notFound} `],
  [' GET / HTTP/1.1\r\n', `${notFound} `],
  ['GET / HTTP/1.1\r\r\n', `${notFound} `],
  ['GET / HTTP/1.1 \r\n', `${notFound} `],
  ['G{T / HTTP/1.1\r\n', `${notFound} `],
  ['\x16\x03\x01', `${notFound} `],
  [`${'A'.repeat(33)} `, `${notFound} `],
  [`GET /${'a'.repeat(8200)}`, `${notFound} `],
];
for (const [text, expected] of lines) {
  test(`${JSON.stringify(text.slice(0, 40))} is ${expected}`, () => {
    assert.equal(sniff(Buffer.from(text, 'latin1')), expected);
  });
}

/** Bytes that come close to what is looked for, and where to cut them. */
function nearly(seeds: readonly Buffer[]): fc.Arbitrary<[Buffer, number[]]> {
  const flips = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 2 });
  const bytes = fc.tuple(fc.constantFrom(...seeds), flips).map(([seed, changes]) => {
    const copy = Buffer.from(seed);
    for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
    return copy;
  });
  return fc.tuple(bytes, fc.array(fc.nat(400), { maxLength: 8 }));
}

test('any split of the bytes finds the same ClientHello', () => {
  const seeds = [hello, inRecords(hello, 7), inRecords(hello, 60)];
  fc.assert(
    fc.property(nearly(seeds), ([bytes, cuts]) => {
      assert.equal(readHello(bytes, cuts), readHello(bytes));
      assert.equal(readHello(bytes, Array.from(bytes.keys())), readHello(bytes));
    }),
  );
});

test('any split of the bytes finds the same protocol', () => {
  const seeds = lines.map(([text]) => Buffer.from(text.slice(0, 100), 'latin1'));
  fc.assert(
    fc.property(nearly(seeds), ([bytes, cuts]) => {
      assert.equal(sniff(bytes, cuts), sniff(bytes));
      assert.equal(sniff(bytes, Array.from(bytes.keys())), sniff(bytes));
    }),
  );
});
