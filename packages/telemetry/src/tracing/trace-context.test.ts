import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@heddle/base';
import { RequestIds } from './request-id.ts';
import {
  childTraceContext,
  formatTraceparent,
  newTraceContext,
  parseTraceparent,
  TraceFlag,
} from './trace-context.ts';
import { formatTracestate, parseTracestate } from './tracestate.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test('reads a traceparent and writes it again', () => {
  const context = parseTraceparent(`00-${traceId}-${spanId}-01`);
  assert.deepEqual(context, { traceId, spanId, flags: TraceFlag.sampled });
  assert.equal(formatTraceparent(context), `00-${traceId}-${spanId}-01`);
});

test('keeps known flags only', () => {
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-ff`)?.flags, 3);
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`)?.flags, 0);
});

test('reads later versions as far as it knows them', () => {
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01`)?.spanId, spanId);
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`)?.traceId, traceId);
});

const refused: readonly [string, string][] = [
  ['empty', ''],
  ['too short', `00-${traceId}-${spanId}-0`],
  ['version ff', `ff-${traceId}-${spanId}-01`],
  ['version 00 with more', `00-${traceId}-${spanId}-01-`],
  ['later version without a dash', `01-${traceId}-${spanId}-01x`],
  ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['not hex', `00-${traceId.replace('0', 'g')}-${spanId}-01`],
  ['zero trace id', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['zero span id', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['other separator', `00_${traceId}_${spanId}_01`],
  ['flags not hex', `00-${traceId}-${spanId}-0x`],
  ['leading space', ` 00-${traceId}-${spanId}-01`],
];
for (const [name, value] of refused) {
  test(`refuses a traceparent: ${name}`, () => assert.equal(parseTraceparent(value), null));
}

test('a child keeps trace and flags and has a span of its own', () => {
  const parent = newTraceContext(systemRandom, true);
  const child = childTraceContext(parent, systemRandom);
  assert.equal(child.traceId, parent.traceId);
  assert.equal(child.flags, parent.flags);
  assert.notEqual(child.spanId, parent.spanId);
});

test('what it makes it can read, even from a generator of zeros', () => {
  const zeros = { uint32: () => 0, float: () => 0 };
  for (const random of [systemRandom, zeros]) {
    for (const isSampled of [true, false]) {
      const context = newTraceContext(random, isSampled);
      assert.deepEqual(parseTraceparent(formatTraceparent(context)), context);
      assert.equal((context.flags & TraceFlag.sampled) !== 0, isSampled);
    }
  }
});

test('a request id is a random UUID of version 4', () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const source = new RequestIds(systemRandom);
  const ids = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const id = source.next();
    assert.match(id, form);
    ids.add(id);
  }
  assert.equal(ids.size, 1000);
  assert.match(new RequestIds({ uint32: () => 0xffff_ffff, float: () => 0 }).next(), form);
});

test('every bit of a request id but the version and variant is random', () => {
  const source = new RequestIds(systemRandom);
  let union = 0n;
  let common = (1n << 128n) - 1n;
  for (let i = 0; i < 2000; i++) {
    const bits = BigInt(`0x${source.next().replaceAll('-', '')}`);
    union |= bits;
    common &= bits;
  }
  const fixed = common | (((1n << 128n) - 1n) ^ union);
  // 4 bits of version at 76, 2 of variant at 62.
  assert.equal(fixed, (0xfn << 76n) | (0x3n << 62n));
});

test('reads a tracestate, spaces and empty members allowed', () => {
  assert.deepEqual(parseTracestate('rojo=00f067aa0ba902b7 ,\tcongo=t61rcWkgMzE,,a@b=c d'), [
    { key: 'rojo', value: '00f067aa0ba902b7' },
    { key: 'congo', value: 't61rcWkgMzE' },
    { key: 'a@b', value: 'c d' },
  ]);
  assert.equal(formatTracestate(parseTracestate('a=1, b=2')!), 'a=1,b=2');
});

test('drops a tracestate that is malformed anywhere', () => {
  for (const header of [
    'a',
    '=1',
    'A=1',
    'a=',
    'a=b=c',
    'a=é',
    'a=1,a=2',
    `${'k'.repeat(257)}=1`,
    `a=${'v'.repeat(257)}`,
  ]) {
    assert.equal(parseTracestate(header), null, header);
  }
  const members = Array.from({ length: 33 }, (_, i) => `k${i}=v`);
  assert.equal(parseTracestate(members.join(',')), null);
  assert.equal(parseTracestate(members.slice(1).join(','))?.length, 32);
});
