import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessLogFilter } from '@heddle/xds/api/envoy/config/accesslog/v3/accesslog.ts';
import {
  AllFilters,
  AnyFilter,
  everyEntry,
  GrpcStatusFilter,
  HeaderFilter,
  NumberFilter,
  ResponseFlagFilter,
  SampleFilter,
} from '../access-log/access-log-filter.ts';
import { compileAccessLogFilter } from './compile-access-log-filter.ts';
import { ProblemList } from './problem-list.ts';

type Specifier = NonNullable<Parameters<typeof AccessLogFilter.fromPartial>[0]['filterSpecifier']>;

function compile(filterSpecifier?: Specifier) {
  const problems = new ProblemList();
  const message = AccessLogFilter.fromPartial(filterSpecifier === undefined ? {} : { filterSpecifier });
  const filter = compileAccessLogFilter(message, 'filter', problems);
  return { filter, problems: problems.problems.map(({ path, message: text }) => `${path}: ${text}`) };
}

const bound = { defaultValue: 100, runtimeKey: 'x' };
const slow: Specifier = { $case: 'durationFilter', value: { comparison: { op: 1, value: bound } } };
const one: Specifier = { $case: 'notHealthCheckFilter', value: {} };

test('filters are compiled to what they ask', () => {
  const { filter } = compile({
    $case: 'orFilter',
    value: {
      filters: [
        { filterSpecifier: slow },
        { filterSpecifier: { $case: 'statusCodeFilter', value: { comparison: { op: 3, value: bound } } } },
        {
          filterSpecifier: {
            $case: 'andFilter',
            value: { filters: [{ filterSpecifier: one }, { filterSpecifier: one }] },
          },
        },
      ],
    },
  });
  const [duration, status] = [
    new NumberFilter('duration', 'at-least', 100),
    new NumberFilter('status', 'not-equal', 100),
  ];
  assert.deepEqual(filter, new AnyFilter([duration, status, new AllFilters([everyEntry, everyEntry])]));
  assert.deepEqual(
    compile({ $case: 'responseFlagFilter', value: { flags: ['UF', 'UAEX'] } }).filter,
    new ResponseFlagFilter(new Set(['UF', 'UAEX'])),
  );
  assert.deepEqual(
    compile({ $case: 'grpcStatusFilter', value: { statuses: [0, 14], exclude: true } }).filter,
    new GrpcStatusFilter(new Set([0, 14]), true),
  );
  assert.ok(
    compile({ $case: 'headerFilter', value: { header: { name: 'x' } } }).filter instanceof HeaderFilter,
  );
});

test('a share is that of percent_sampled, and nothing without it', () => {
  const share = (percentSampled?: object, useIndependentRandomness = false) =>
    compile({
      $case: 'runtimeFilter',
      value: { runtimeKey: 'x', useIndependentRandomness, ...(percentSampled && { percentSampled }) },
    }).filter;
  assert.deepEqual(share(), new SampleFilter(0, 100, false));
  assert.deepEqual(share({ numerator: 3, denominator: 1 }, true), new SampleFilter(3, 10_000, true));
});

const refusals: readonly (readonly [string, Specifier | undefined, string])[] = [
  ['nothing', undefined, 'filter: needs one of status_code_filter,'],
  [
    'a comparison with nothing',
    { $case: 'statusCodeFilter', value: {} },
    'filter.status_code_filter.comparison.value: is required',
  ],
  [
    'an unknown comparison',
    { $case: 'durationFilter', value: { comparison: { op: 7 as 1, value: bound } } },
    'filter.duration_filter.comparison.op: is no known value',
  ],
  [
    'a header filter without header',
    { $case: 'headerFilter', value: {} },
    'filter.header_filter.header: is required',
  ],
  [
    'a flag that is none',
    { $case: 'responseFlagFilter', value: { flags: ['UF', 'XX'] } },
    'filter.response_flag_filter.flags[1]: "XX" is no response flag',
  ],
  [
    'a gRPC status that is none',
    { $case: 'grpcStatusFilter', value: { statuses: [17 as 16] } },
    'filter.grpc_status_filter.statuses[0]: must be 0 to 16',
  ],
  [
    'one filter to combine',
    { $case: 'andFilter', value: { filters: [{ filterSpecifier: one }] } },
    'filter.and_filter.filters: must be at least two',
  ],
  [
    'what is wrong within',
    { $case: 'orFilter', value: { filters: [{ filterSpecifier: one }, {}] } },
    'filter.or_filter.filters[1]: needs one of',
  ],
  [
    'a sample without its key',
    { $case: 'runtimeFilter', value: {} },
    'filter.runtime_filter.runtime_key: must not be empty',
  ],
];
for (const [name, specifier, expected] of refusals) {
  test(`refuses ${name}`, () => {
    const { problems } = compile(specifier);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.equal(problems[0]!.slice(0, expected.length), expected);
  });
}
