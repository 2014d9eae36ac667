import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as check, property, uint8Array } from 'fast-check';
import { DerError, DerReader, readObjectIdentifier } from './der-reader.ts';
import { DerTag, der, derObjectIdentifier } from './der-writer.ts';

describe('DER', () => {
  test('reads back what it writes, whatever the length', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const content = Buffer.alloc(length, 7);
      const reader = new DerReader(der(DerTag.octetString, content));
      assert.ok(reader.expect(DerTag.octetString).content.equals(content), `${length} bytes`);
      reader.end();
    }
  });

  test('writes lengths in the fewest bytes', () => {
    assert.equal(der(DerTag.octetString, Buffer.alloc(127)).subarray(0, 2).toString('hex'), '047f');
    assert.equal(der(DerTag.octetString, Buffer.alloc(128)).subarray(0, 3).toString('hex'), '048180');
    assert.equal(der(DerTag.octetString, Buffer.alloc(256)).subarray(0, 4).toString('hex'), '04820100');
  });

  test('writes and reads object identifiers', () => {
    // The encoding of 1.2.840.113549 is the example of X.690's users everywhere.
    assert.equal(derObjectIdentifier('1.2.840.113549').toString('hex'), '06062a864886f70d');
    for (const oid of ['1.2.840.113549.1.9.14', '2.5.29.17', '0.9.2342', '2.999.3', '1.3.6.1.5.5.7.3.1']) {
      assert.equal(readObjectIdentifier(derObjectIdentifier(oid).subarray(2)), oid);
    }
  });

  const malformed: readonly (readonly [string, string])[] = [
    ['nothing at all', ''],
    ['a tag without length', '04'],
    ['content cut off', '040501'],
    ['an indefinite length', '04800000'],
    ['a length in more bytes than needed', '04810100'],
    ['a length with leading zeros', '0482000100'],
    ['a length of four bytes', '048401000000'],
    ['a tag of several bytes', '1f8101'],
  ];
  for (const [name, hex] of malformed) {
    test(`refuses ${name}`, () => {
      assert.throws(() => new DerReader(Buffer.from(hex, 'hex')).next(), DerError);
    });
  }

  test('refuses elements that are left over, and other tags than expected', () => {
    const bytes = Buffer.from('05000500', 'hex');
    const reader = new DerReader(bytes);
    reader.next();
    assert.throws(() => reader.end(), DerError);
    assert.throws(() => new DerReader(bytes).expect(DerTag.integer), DerError);
    assert.equal(new DerReader(bytes).optional(DerTag.integer), null);
  });

  test('refuses object identifiers that are empty or cut off', () => {
    assert.throws(() => readObjectIdentifier(Buffer.alloc(0)), DerError);
    assert.throws(() => readObjectIdentifier(Buffer.from('2a86', 'hex')), DerError);
    assert.throws(() => readObjectIdentifier(Buffer.from(`2a${'ff'.repeat(9)}01`, 'hex')), DerError);
  });

  test('fails on arbitrary bytes with nothing but DerError', () => {
    check(
      property(uint8Array({ maxLength: 40 }), (bytes) => {
        const reader = new DerReader(Buffer.from(bytes));
        try {
          while (!reader.isAtEnd) reader.next();
        } catch (error) {
          assert.ok(error instanceof DerError);
        }
      }),
    );
  });
});
