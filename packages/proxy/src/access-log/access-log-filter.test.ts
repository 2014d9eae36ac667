import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '@heddle/base';
import { HeaderMatcher } from '../routing/header-matcher.ts';
import { testRequest } from '../routing/request-view-harness.ts';
import { StringMatcher } from '../routing/string-matcher.ts';
import {
  type AccessLogFilter,
  AllFilters,
  AnyFilter,
  everyEntry,
  GrpcStatusFilter,
  HeaderFilter,
  type LoggedEntry,
  NumberFilter,
  ResponseFlagFilter,
  SampleFilter,
} from './access-log-filter.ts';
import { AccessLog } from './access-log.ts';

type Parts = Partial<
  Pick<
    LoggedEntry,
    'responseCode' | 'grpcStatus' | 'durationMs' | 'responseFlags' | 'requestId' | 'loggedRequest'
  >
>;

function logged(filter: AccessLogFilter | null, parts: Parts, random = 0): boolean {
  const lines: string[] = [];
  const source: Random = { uint32: () => random, float: () => 0 };
  const log = new AccessLog(
    { path: 'x', format: () => 'line\n', filter },
    { write: (line) => void lines.push(line) },
    source,
  );
  // The filters look at nothing else.
  const entry = {
    responseCode: 200,
    grpcStatus: -1,
    durationMs: 0,
    responseFlags: '-',
    requestId: '',
    loggedRequest: null,
    ...parts,
  };
  log.log(entry as unknown as LoggedEntry);
  return lines.length === 1;
}

test('without a filter everything is logged', () => {
  assert.equal(logged(null, {}), true);
});

test('by status', () => {
  const statuses = (comparison: NumberFilter['comparison']): boolean[] =>
    [499, 500, 501].map((responseCode) =>
      logged(new NumberFilter('status', comparison, 500), { responseCode }),
    );
  assert.deepEqual(statuses('at-least'), [false, true, true]);
  assert.deepEqual(statuses('at-most'), [true, true, false]);
  assert.deepEqual(statuses('equal'), [false, true, false]);
  assert.deepEqual(statuses('not-equal'), [true, false, true]);
});

test('by duration in whole milliseconds', () => {
  const filter = new NumberFilter('duration', 'at-least', 100);
  assert.deepEqual(
    [99.9, 100, 100.2].map((durationMs) => logged(filter, { durationMs })),
    [false, true, true],
  );
  assert.equal(logged(new NumberFilter('duration', 'equal', 100), { durationMs: 100.9 }), true);
});

test('by share, where a request has no id that decides', () => {
  const filter = new SampleFilter(1, 100, false);
  for (const requestId of ['', 'nothex00', '0000001', '0x000000', '+0000000']) {
    const outcomes = [0, 1, 2, 100].map((random) => logged(filter, { requestId }, random));
    assert.deepEqual(outcomes, [true, false, false, true], requestId);
  }
});

// What Envoy 1.40 logs of these, found by sending them.
test('by share, the same on every proxy for the same request id', () => {
  const ids: readonly (readonly [string, boolean])[] = [
    ['00000000-0000-4000-8000-000000000000', true],
    ['00000031-0000-4000-8000-000000000000', true],
    ['00000032-0000-4000-8000-000000000000', false],
    ['00000063-0000', false],
    ['00000064x', true],
    ['fFfFfFfF-0000-4000-8000-000000000000', 0xffff_ffff % 100 < 50],
  ];
  for (const [requestId, isLogged] of ids) {
    assert.equal(logged(new SampleFilter(50, 100, false), { requestId }, 99), isLogged, requestId);
    assert.equal(logged(new SampleFilter(50, 100, true), { requestId }, 99), false, requestId);
    assert.equal(logged(new SampleFilter(50, 100, true), { requestId }, 1), true, requestId);
  }
});

test('by a header of the request, where there is one', () => {
  const matcher = new HeaderMatcher(
    'x-a',
    { kind: 'string', matcher: new StringMatcher('exact', '1') },
    false,
    false,
  );
  const filter = new HeaderFilter(matcher);
  assert.equal(logged(filter, { loggedRequest: testRequest({ headers: { 'x-a': ['0', '1'] } }) }), true);
  assert.equal(logged(filter, { loggedRequest: testRequest() }), false);
  assert.equal(logged(filter, { loggedRequest: null }), false);
  const absent = new HeaderFilter(
    new HeaderMatcher('x-a', { kind: 'present', isPresent: false }, false, false),
  );
  assert.equal(logged(absent, { loggedRequest: null }), true);
});

test('by a response flag, or any of them', () => {
  const some = new ResponseFlagFilter(new Set(['UF', 'NR']));
  const any = new ResponseFlagFilter(new Set());
  const outcomes = ['-', '', 'NR', 'URX', 'UF,URX'].map((responseFlags) => [
    logged(some, { responseFlags }),
    logged(any, { responseFlags }),
  ]);
  assert.deepEqual(outcomes, [
    [false, false],
    [false, false],
    [true, true],
    [false, true],
    [true, true],
  ]);
});

test('by the status of a gRPC call, or by what stands for it', () => {
  const some = new GrpcStatusFilter(new Set([14, 2]), false);
  const others = new GrpcStatusFilter(new Set([14, 2]), true);
  const entries = [
    { grpcStatus: 14 },
    { grpcStatus: 0 },
    { responseCode: 503 },
    { responseCode: 404 },
    { responseCode: 200 },
    { responseCode: 0 },
  ];
  const expected = [true, false, true, false, true, true];
  assert.deepEqual(
    entries.map((entry) => logged(some, entry)),
    expected,
  );
  assert.deepEqual(
    entries.map((entry) => !logged(others, entry)),
    expected,
  );
});

test('by several filters at once', () => {
  const bad = new NumberFilter('status', 'at-least', 500);
  const slow = new NumberFilter('duration', 'at-least', 100);
  const badOrSlow = new AnyFilter([bad, slow]);
  const badAndSlow = new AllFilters([bad, slow]);
  const outcomes = [
    { responseCode: 200, durationMs: 1 },
    { responseCode: 500, durationMs: 1 },
    { responseCode: 500, durationMs: 100 },
  ].map((entry) => [logged(badOrSlow, entry), logged(badAndSlow, entry)]);
  assert.deepEqual(outcomes, [
    [false, false],
    [true, false],
    [true, true],
  ]);
  assert.equal(logged(everyEntry, {}), true);
});
