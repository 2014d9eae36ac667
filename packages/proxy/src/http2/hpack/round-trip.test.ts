// Any lists through an encoder and a decoder of one connection, with tables of any sizes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Field } from '../../codec/field.ts';
import { FieldList } from '../../codec/field-list.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';
import { HpackError } from './hpack-error.ts';
import { sharedFields } from '../../codec/shared-fields.ts';

/** Few enough that they come again, enough that they drive each other out. */
const names = fc.constantFrom(
  ':path',
  ':method',
  'cookie',
  'authorization',
  'x-a',
  'x-b',
  'grpc-timeout',
  '',
);
const values = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'b', 'GET', '/', 'x'.repeat(30), 'y'.repeat(500)) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  },
);
const fields = fc.record({
  name: names,
  value: values,
  isNeverIndexed: fc.boolean(),
  isHeld: fc.boolean(),
});
const sizes = fc.constantFrom(0, 1, 33, 64, 100, 500, 4096, 5000, 65_536);
/** A list to send, or another size that the peer's settings allow. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(fields, { maxLength: 12 }).map((list) => ({ list, size: -1 })) },
    { weight: 1, arbitrary: sizes.map((size) => ({ list: [], size })) },
  ),
  { maxLength: 40 },
);

interface Sent {
  readonly name: string;
  readonly value: string;
  readonly isNeverIndexed: boolean;
  readonly isHeld: boolean;
}

function fieldOf({ name, value, isNeverIndexed, isHeld }: Sent): Field {
  const field = new Field(name, value, isNeverIndexed);
  return isHeld ? sharedFields.hold(field) : field;
}

test('what is encoded is decoded, whatever sizes the tables take', () => {
  fc.assert(
    fc.property(steps, sizes, (plan, largestTable) => {
      const encoder = new HpackEncoder(largestTable);
      const decoder = new HpackDecoder({ maxTableSize: 4096, maxListBytes: 1e6, maxFields: 1000 });
      const decoded = new FieldList();
      for (const { list, size } of plan) {
        if (size >= 0) {
          encoder.setMaxTableSize(size);
          decoder.setMaxTableSize(size);
          continue;
        }
        const sent = FieldList.of(...list.map(fieldOf));
        const out = Buffer.alloc(sent.decodedBytes + 12);
        const end = encoder.encode(sent, out, 0);
        assert.equal(decoder.decode(out, 0, end, decoded), HpackError.none);
        assert.equal(decoder.tableSize, encoder.tableSize);
        assert.deepEqual(
          decoded.fields.slice(0, decoded.length).map(({ name, value }) => [name, value]),
          list.map(({ name, value }) => [name, value]),
        );
        for (const [i, { isNeverIndexed }] of list.entries()) {
          if (isNeverIndexed) assert.ok(decoded.fields[i]!.isNeverIndexed);
        }
      }
    }),
    { numRuns: 300 },
  );
});
