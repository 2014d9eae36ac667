// Header blocks of real traffic as nine encoders have written them: decoded, encoded anew and decoded again; and cut off
// behind every byte.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FieldList } from '@heddle/proxy/codec/field-list';
import { HpackDecoder } from '@heddle/proxy/http2/hpack/decoder';
import { HpackEncoder } from '@heddle/proxy/http2/hpack/encoder';
import { HpackError } from '@heddle/proxy/http2/hpack/error';
import { Score } from './http1-case.ts';
import { suiteFolder } from './model-data.ts';

const suite = 'hpack';
const folder = suiteFolder(suite);

type Pairs = readonly (readonly [string, string])[];

interface EncodedBlock {
  readonly wire: string;
  /** SETTINGS_HEADER_TABLE_SIZE that the encoder's peer has announced before this block. */
  readonly headerTableSize?: number;
}

function read(file: string): unknown {
  return (JSON.parse(readFileSync(join(folder!, file), 'utf8')) as { readonly cases: unknown }).cases;
}

function createDecoder(): HpackDecoder {
  return new HpackDecoder({ maxTableSize: 4096, maxListBytes: 1_000_000, maxFields: 1000 });
}

function pairs(list: FieldList): Pairs {
  return list.fields.slice(0, list.length).map(({ name, value }) => [name, value]);
}

/** A decoder in the same state. */
function copyOf(decoder: HpackDecoder): HpackDecoder {
  const copy = shallowCopy(decoder);
  const table = shallowCopy(Reflect.get(decoder, 'table') as object);
  Reflect.set(table, 'ring', [...(Reflect.get(table, 'ring') as readonly unknown[])]);
  Reflect.set(copy, 'table', table);
  return copy;
}

function shallowCopy<T extends object>(object: T): T {
  return Object.assign(Object.create(Object.getPrototypeOf(object) as object) as T, object);
}

/** What is wrong with how a block is decoded that ends too early; empty where all is well. */
function faultOfCuts(decoder: HpackDecoder, block: Buffer, expected: Pairs): string {
  const list = new FieldList();
  for (let end = 0; end < block.length; end++) {
    const error = copyOf(decoder).decode(block, 0, end, list);
    const isPrefix = pairs(list).every(
      ([name, value], i) => name === expected[i]![0] && value === expected[i]![1],
    );
    // Between two fields it can't be known that some are missing.
    const isFair =
      error === HpackError.truncated ||
      (error === HpackError.none && list.length < expected.length) ||
      (error === HpackError.missingSizeUpdate && end === 0);
    if (!isFair || !isPrefix) return `cut off behind ${end} bytes: error ${error}, ${list.length} fields`;
  }
  return '';
}

/** One encoder's story in one context: what is wrong with each of its blocks. */
function replay(blocks: readonly EncodedBlock[], story: readonly Pairs[]): readonly string[] {
  const decoder = createDecoder();
  const [encoder, second] = [new HpackEncoder(4096), createDecoder()];
  const [list, again] = [new FieldList(), new FieldList()];
  return blocks.map(({ wire, headerTableSize }, index) => {
    const block = Buffer.from(wire, 'hex');
    const expected = story[index]!;
    if (headerTableSize !== undefined) {
      decoder.setMaxTableSize(headerTableSize);
      encoder.setMaxTableSize(headerTableSize);
      second.setMaxTableSize(headerTableSize);
    }
    const cutFault = faultOfCuts(decoder, block, expected);
    if (cutFault !== '') return cutFault;
    const error = decoder.decode(block, 0, block.length, list);
    if (error !== HpackError.none) return `error ${error}`;
    if (JSON.stringify(pairs(list)) !== JSON.stringify(expected)) return 'another list';
    const out = Buffer.alloc(list.decodedBytes + 12);
    const secondError = second.decode(out, 0, encoder.encode(list, out, 0), again);
    if (secondError !== HpackError.none) return `error ${secondError} in our own block`;
    return JSON.stringify(pairs(again)) === JSON.stringify(expected) ? '' : 'another list in our own block';
  });
}

test('decodes and encodes what other encoders have written', { skip: folder === undefined }, () => {
  const score = new Score(suite);
  const stories = new Map<string, readonly Pairs[]>();
  for (const file of readdirSync(join(folder!, 'stories')))
    stories.set(file, read(join('stories', file)) as readonly Pairs[]);
  for (const encoder of readdirSync(join(folder!, 'encodings'))) {
    for (const file of readdirSync(join(folder!, 'encodings', encoder))) {
      const faults = replay(
        read(join('encodings', encoder, file)) as readonly EncodedBlock[],
        stories.get(file)!,
      );
      for (const [index, fault] of faults.entries()) {
        score.add(`${encoder}/${file} ${index}`, fault === '' ? 'passed' : 'failed', fault);
      }
    }
  }
  console.log(score.toString());
  assert.deepEqual(score.failures, []);
  assert.ok(score.passed > 0);
});
