import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type DnsData, type DnsMessage, type DnsRecord, RecordType } from './dns-message.ts';
import { ipBytes, ipText } from './ip-address.ts';
import { readMessage } from './read-message.ts';
import { isWritableName, writeMessage } from './write-message.ts';

const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
const name = fc.array(label, { maxLength: 5 }).map((labels) => labels.join('.'));
const uint16 = fc.nat(0xffff);
const data: fc.Arbitrary<[number, DnsData]> = fc.oneof(
  fc.ipV4().map((address): [number, DnsData] => [RecordType.a, { kind: 'address', address }]),
  fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes): [number, DnsData] => [
      RecordType.aaaa,
      { kind: 'address', address: ipText(Buffer.from(bytes), 0, 16) },
    ]),
  name.map((target): [number, DnsData] => [RecordType.cname, { kind: 'name', name: target }]),
  fc
    .tuple(uint16, uint16, uint16, name)
    .map(([priority, weight, port, target]): [number, DnsData] => [
      RecordType.srv,
      { kind: 'service', priority, weight, port, target },
    ]),
  fc
    .uint8Array({ maxLength: 40 })
    .map((bytes): [number, DnsData] => [16, { kind: 'raw', bytes: Buffer.from(bytes) }]),
);
const record: fc.Arbitrary<DnsRecord> = fc
  .tuple(name, data, fc.nat(0xffff_ffff))
  .map(([owner, [type, value], ttlSeconds]) => ({ name: owner, type, class: 1, ttlSeconds, data: value }));
const message: fc.Arbitrary<DnsMessage> = fc.record(
  {
    id: uint16,
    isResponse: fc.boolean(),
    opcode: fc.nat(15),
    isAuthoritative: fc.boolean(),
    isTruncated: fc.constant(false),
    recursionDesired: fc.boolean(),
    recursionAvailable: fc.boolean(),
    responseCode: fc.nat(15),
    questions: fc.array(fc.record({ name, type: uint16, class: uint16 }, { noNullPrototype: true }), {
      maxLength: 2,
    }),
    answers: fc.array(record, { maxLength: 4 }),
    authorities: fc.array(record, { maxLength: 2 }),
    additionals: fc.array(record, { maxLength: 2 }),
    ednsPayloadBytes: fc.option(uint16),
  },
  { noNullPrototype: true },
);

test('what is written is read back', () => {
  fc.assert(
    fc.property(message, (original) => {
      assert.deepEqual(readMessage(writeMessage(original)), { ok: true, value: original });
    }),
  );
});

test('a message cut short anywhere, or with a byte more, is none', () => {
  fc.assert(
    fc.property(message, (original) => {
      const bytes = writeMessage(original);
      for (let end = 0; end < bytes.length; end++) {
        assert.equal(readMessage(bytes.subarray(0, end)).ok, false);
      }
      assert.equal(readMessage(Buffer.concat([bytes, Buffer.alloc(1)])).ok, false);
    }),
    { numRuns: 30 },
  );
});

test('whatever is read can be written and read again', () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(255), (original, at, byte) => {
      const bytes = Buffer.from(writeMessage(original));
      bytes[at % bytes.length] = byte;
      const first = readMessage(bytes);
      if (!first.ok) return;
      assert.deepEqual(readMessage(writeMessage(first.value)), first);
    }),
    { numRuns: 500 },
  );
});

/** A response to `a` with one answer, whose bytes from the answer on are given in hexadecimal. */
function answerWith(hex: string): string {
  const header = '0001 8180 0001 0001 0000 0000  01 61 00 0001 0001'.replaceAll(' ', '');
  const result = readMessage(Buffer.from(header + hex.replaceAll(' ', ''), 'hex'));
  return result.ok ? 'ok' : result.error;
}

const refusals: readonly [string, string][] = [
  ['ok', 'c00c 0001 0001 00000001 0004 7f000001'],
  ['a name points forward', 'c013 0001 0001 00000001 0004 7f000001'],
  ['a name points forward', 'c020 0001 0001 00000001 0004 7f000001'],
  // Two labels that point at each other: each is before the other once, never twice.
  ['a name points forward', '0162 c013 0001 0001 00000001 0004 7f000001'],
  ['a label of an unknown kind', '40 61 00 0001 0001 00000001 0004 7f000001'],
  ['a label of an unknown kind', '80 61 00 0001 0001 00000001 0004 7f000001'],
  ['a name is cut off', '3f 61'],
  ['a name with a character that has no place in one', '01 2e 00 0001 0001 00000001 0004 7f000001'],
  ['a name with a character that has no place in one', '01 00 00 0001 0001 00000001 0004 7f000001'],
  ['an address of the wrong length', 'c00c 0001 0001 00000001 0003 7f0000'],
  ['an address of the wrong length', 'c00c 001c 0001 00000001 0004 7f000001'],
  ['a record is cut off', 'c00c 0001 0001 00000001 0005 7f000001'],
  ['a record is not as long as it says', 'c00c 0005 0001 00000001 0003 c00c 00'],
  ['a SRV record is too short', 'c00c 0021 0001 00000001 0006 000000000000'],
  ['a misplaced OPT record', '00 0029 1000 00000000 0000'],
  ['bytes follow the last record', 'c00c 0001 0001 00000001 0004 7f000001 00'],
  ['the message is cut off', 'c00c 0001 0001 0000'],
];
for (const [expected, hex] of refusals) {
  test(`an answer ${hex}: ${expected}`, () => assert.equal(answerWith(hex), expected));
}

test('a pointer that lies in wait in another record leads nowhere', () => {
  // The text record holds a pointer to itself; the owner of the second record points there.
  const trap = {
    name: 'a',
    type: 16,
    class: 1,
    ttlSeconds: 1,
    data: { kind: 'raw', bytes: Buffer.alloc(2) },
  } as const;
  const bytes = Buffer.from(writeMessage({ ...empty, answers: [trap] }));
  bytes.writeUInt16BE(0xc000 | (bytes.length - 2), bytes.length - 2);
  bytes.writeUInt16BE(2, 6);
  const owner = Buffer.from('c000 0001 0001 00000001 0004 7f000001'.replaceAll(' ', ''), 'hex');
  owner.writeUInt16BE(0xc000 | (bytes.length - 2), 0);
  assert.deepEqual(readMessage(Buffer.concat([bytes, owner])), { ok: false, error: 'a name points forward' });
});

test('there is one OPT record', () => {
  const bytes = Buffer.from(writeMessage({ ...empty, ednsPayloadBytes: 512 }));
  bytes.writeUInt16BE(2, 10);
  assert.deepEqual(readMessage(Buffer.concat([bytes, bytes.subarray(-11)])), {
    ok: false,
    error: 'a misplaced OPT record',
  });
});

test('a name is at most 255 bytes long, with the pointers followed', () => {
  const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  assert.equal(isWritableName(long), true);
  assert.equal(isWritableName(`${long}d`), false);
  const question = { name: long, type: 1, class: 1 };
  const bytes = writeMessage({ ...empty, questions: [question] });
  assert.equal(readMessage(bytes).ok, true);
  // The same name, one label longer by a pointer to it.
  const longer = Buffer.concat([bytes, Buffer.from('0161c00c00010001', 'hex')]);
  longer.writeUInt16BE(2, 4);
  assert.deepEqual(readMessage(longer), { ok: false, error: 'a name is too long' });
});

const empty: DnsMessage = {
  id: 7,
  isResponse: true,
  opcode: 0,
  isAuthoritative: false,
  isTruncated: false,
  recursionDesired: true,
  recursionAvailable: true,
  responseCode: 0,
  questions: [{ name: 'a', type: 1, class: 1 }],
  answers: [],
  authorities: [],
  additionals: [],
  ednsPayloadBytes: null,
};

test('what does not fit goes without its records and says so', () => {
  const address = { kind: 'address', address: '10.0.0.1' } as const;
  const answers = Array.from({ length: 100 }, () => ({
    name: 'a',
    type: 1,
    class: 1,
    ttlSeconds: 1,
    data: address,
  }));
  const bytes = writeMessage({ ...empty, answers }, 512);
  assert.ok(bytes.length <= 512);
  const result = readMessage(bytes);
  assert.equal(result.ok && result.value.isTruncated, true);
  assert.deepEqual(result.ok && result.value.answers, []);
});

test('a truncated message is read up to its questions, whatever follows', () => {
  const bytes = Buffer.concat([
    writeMessage({ ...empty, isTruncated: true }),
    Buffer.from('c00c0001', 'hex'),
  ]);
  const result = readMessage(bytes);
  assert.deepEqual(result.ok && result.value.questions, empty.questions);
});

test('names are compressed', () => {
  const record: DnsRecord = {
    name: 'b.a',
    type: 5,
    class: 1,
    ttlSeconds: 1,
    data: { kind: 'name', name: 'b.a' },
  };
  const bytes = writeMessage({ ...empty, answers: [record] });
  assert.equal(bytes.length, 12 + 7 + 4 + 10 + 2);
  const result = readMessage(bytes);
  assert.deepEqual(result.ok && result.value.answers, [record]);
});

const addresses: readonly [string, string][] = [
  ['::', '::'],
  ['::1', '::1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
  ['fe80::', 'fe80::'],
  ['::ffff:10.1.2.3', '::ffff:a01:203'],
  ['10.1.2.3', '10.1.2.3'],
];
for (const [text, canonical] of addresses) {
  test(`${text} is ${canonical}`, () => {
    const bytes = ipBytes(text)!;
    assert.equal(ipText(bytes, 0, bytes.length === 4 ? 4 : 16), canonical);
  });
}

test('a zone or a name is no address', () => {
  for (const text of ['fe80::1%eth0', 'a', '', '1.2.3', '1.2.3.4.5']) assert.equal(ipBytes(text), null);
});
