import { assertNever } from '@heddle/base';
import {
  type AccessLogFilter as FilterMessage,
  type ComparisonFilter,
  ComparisonFilter_Op as Op,
  type GrpcStatusFilter as GrpcStatusMessage,
  type RuntimeFilter,
} from '@heddle/xds/api/envoy/config/accesslog/v3/accesslog.ts';
import {
  type AccessLogFilter,
  AllFilters,
  AnyFilter,
  type Comparison,
  everyEntry,
  GrpcStatusFilter,
  HeaderFilter,
  NumberFilter,
  ResponseFlagFilter,
  SampleFilter,
} from '../access-log/access-log-filter.ts';
import { lastKnownStatus } from '../grpc/status.ts';
import { compileFraction, compileHeader } from '../routing/compile-matchers.ts';
import type { ProblemList } from './problem-list.ts';

/** All that Envoy takes; those that this proxy sets are fewer. */
const knownFlags: ReadonlySet<string> = new Set([
  ...[
    'LH',
    'UH',
    'UT',
    'LR',
    'UR',
    'UF',
    'UC',
    'UO',
    'NR',
    'DI',
    'FI',
    'RL',
    'UAEX',
    'RLSE',
    'DC',
    'URX',
    'SI',
  ],
  ...['IH', 'DPE', 'UMSDR', 'RFCF', 'NFCF', 'DT', 'UPE', 'NC', 'OM', 'DF', 'DO', 'DR', 'UDO'],
]);

/** Compiles the filter of an access log; null with problems noted. */
export function compileAccessLogFilter(
  filter: FilterMessage,
  path: string,
  problems: ProblemList,
): AccessLogFilter | null {
  const specifier = filter.filterSpecifier;
  switch (specifier?.$case) {
    case undefined:
      problems.invalid(
        path,
        'needs one of status_code_filter, duration_filter, runtime_filter, header_filter, response_flag_filter, grpc_status_filter, and_filter, or_filter',
      );
      return null;
    case 'statusCodeFilter':
      return numberFilter('status', specifier.value.comparison, `${path}.status_code_filter`, problems);
    case 'durationFilter':
      return numberFilter('duration', specifier.value.comparison, `${path}.duration_filter`, problems);
    case 'notHealthCheckFilter':
      return everyEntry;
    case 'runtimeFilter':
      return sampleFilter(specifier.value, `${path}.runtime_filter`, problems);
    case 'headerFilter': {
      const { header } = specifier.value;
      if (header === undefined) {
        problems.invalid(`${path}.header_filter.header`, 'is required');
        return null;
      }
      const matcher = compileHeader(header, `${path}.header_filter.header`, problems);
      return matcher === null ? null : new HeaderFilter(matcher);
    }
    case 'responseFlagFilter': {
      const { flags } = specifier.value;
      for (const [index, flag] of flags.entries()) {
        if (!knownFlags.has(flag))
          problems.invalid(`${path}.response_flag_filter.flags[${index}]`, `"${flag}" is no response flag`);
      }
      return new ResponseFlagFilter(new Set(flags));
    }
    case 'grpcStatusFilter':
      return grpcStatusFilter(specifier.value, `${path}.grpc_status_filter`, problems);
    case 'andFilter':
      return new AllFilters(several(specifier.value.filters, `${path}.and_filter.filters`, problems));
    case 'orFilter':
      return new AnyFilter(several(specifier.value.filters, `${path}.or_filter.filters`, problems));
    default:
      return assertNever(specifier);
  }
}

function grpcStatusFilter(
  { statuses, exclude }: GrpcStatusMessage,
  path: string,
  problems: ProblemList,
): AccessLogFilter {
  for (const [index, status] of statuses.entries()) {
    if (status < 0 || status > lastKnownStatus)
      problems.invalid(`${path}.statuses[${index}]`, `must be 0 to ${lastKnownStatus}`);
  }
  return new GrpcStatusFilter(new Set(statuses), exclude);
}

function several(filters: readonly FilterMessage[], path: string, problems: ProblemList): AccessLogFilter[] {
  if (filters.length < 2) problems.invalid(path, 'must be at least two');
  return filters.flatMap(
    (filter, index) => compileAccessLogFilter(filter, `${path}[${index}]`, problems) ?? [],
  );
}

/** There is no runtime: what percent_sampled says holds, and nothing at all where it is absent, as in Envoy. */
function sampleFilter(filter: RuntimeFilter, path: string, problems: ProblemList): AccessLogFilter | null {
  if (filter.runtimeKey === '') problems.invalid(`${path}.runtime_key`, 'must not be empty');
  const { percentSampled, useIndependentRandomness } = filter;
  if (percentSampled === undefined) return new SampleFilter(0, 100, useIndependentRandomness);
  const fraction = compileFraction(percentSampled, `${path}.percent_sampled`, problems);
  if (fraction === null) return null;
  return new SampleFilter(fraction.numerator, fraction.denominator, useIndependentRandomness);
}

const comparisons: Readonly<Record<number, Comparison>> = {
  [Op.EQ]: 'equal',
  [Op.GE]: 'at-least',
  [Op.LE]: 'at-most',
  [Op.NE]: 'not-equal',
};

function numberFilter(
  subject: 'status' | 'duration',
  message: ComparisonFilter | undefined,
  path: string,
  problems: ProblemList,
): AccessLogFilter | null {
  const bound = message?.value?.defaultValue;
  if (message === undefined || bound === undefined) {
    problems.invalid(`${path}.comparison.value`, 'is required');
    return null;
  }
  const comparison = comparisons[message.op];
  if (comparison === undefined) {
    problems.invalid(`${path}.comparison.op`, 'is no known value');
    return null;
  }
  return new NumberFilter(subject, comparison, bound);
}
