import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Field } from '../../codec/field.ts';
import { DynamicTable } from './dynamic-table.ts';

/** A field of 40 bytes. */
function field(value: string): Field {
  return new Field('name', value.padEnd(4));
}

test('the newest entry has index 1, and the oldest leaves first', () => {
  const table = new DynamicTable(120);
  const fields = ['a', 'b', 'c', 'd'].map(field);
  for (const one of fields) table.add(one);
  assert.deepEqual([table.length, table.size], [3, 120]);
  assert.deepEqual(
    [1, 2, 3].map((index) => table.at(index)),
    [fields[3], fields[2], fields[1]],
  );
});

test('a field larger than the table empties it', () => {
  const table = new DynamicTable(100);
  table.add(field('a'));
  table.add(new Field('name', 'x'.repeat(65)));
  assert.deepEqual([table.length, table.size], [0, 0]);
  table.add(new Field('name', 'x'.repeat(64)));
  assert.deepEqual([table.length, table.size], [1, 100]);
});

test('a smaller size drops what is over it', () => {
  const table = new DynamicTable(400);
  for (let i = 0; i < 10; i++) table.add(field(`${i}`));
  table.resize(119);
  assert.deepEqual([table.length, table.at(1).value, table.at(2).value], [2, '9   ', '8   ']);
  table.resize(0);
  table.resize(400);
  assert.deepEqual([table.length, table.size], [0, 0]);
});

test('an entry is found by its number for as long as it is there, and never another one', () => {
  const table = new DynamicTable(4096);
  const added: { readonly entry: Field; readonly number: number }[] = [];
  for (let i = 0; i < 1000; i++) {
    const entry = field(`${i}`);
    added.push({ entry, number: table.add(entry) });
    const oldest = Math.max(0, i + 1 - table.length);
    for (const [place, one] of added.entries()) {
      const index = table.indexOf(one.number, one.entry);
      assert.equal(index, place < oldest ? 0 : i + 1 - place);
    }
  }
  assert.equal(table.length, 102);
});

test('numbers wrap around', () => {
  const table = new DynamicTable(4096);
  Reflect.set(table, 'next', 2 ** 31 - 3);
  const fields = Array.from({ length: 40 }, (_, i) => field(`${i}`));
  const numbers = fields.map((one) => table.add(one));
  assert.ok(numbers.at(-1)! < 0);
  for (const [i, one] of fields.entries()) {
    assert.equal(table.at(40 - i), one);
    assert.equal(table.indexOf(numbers[i]!, one), 40 - i);
  }
});

test('a name is found by the number of an entry that has it', () => {
  const table = new DynamicTable(4096);
  const entry = field('a');
  const other = new Field('other', '');
  const number = table.add(entry);
  table.add(other);
  assert.equal(table.indexOfName(number, entry.key), 2);
  assert.equal(table.indexOfName(number, other.key), 0);
});
