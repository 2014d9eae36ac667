// Configurations whose access logs are filtered.
import type { Json, Setup } from './parts.ts';

const comparison = (op: string, default_value: number): Json => ({
  comparison: { op, value: { default_value, runtime_key: 'log' } },
});
const share = (numerator: number, denominator: string, more: Json = {}): Json => ({
  runtime_filter: { runtime_key: 'log', percent_sampled: { numerator, denominator }, ...more },
});
const found: Json = { status_code_filter: comparison('EQ', 200) };
const marked: Json = { header_filter: { header: { name: 'x-log', string_match: { exact: 'yes' } } } };

export const accessLogSetups = {
  logs: {
    logs: [
      { label: 'status equal', filter: found },
      { label: 'status not equal', filter: { status_code_filter: comparison('NE', 200) } },
      { label: 'status at least', filter: { status_code_filter: comparison('GE', 400) } },
      { label: 'status at most', filter: { status_code_filter: comparison('LE', 399) } },
      { label: 'slow', filter: { duration_filter: comparison('GE', 60_000) } },
      { label: 'fast', filter: { duration_filter: comparison('LE', 60_000) } },
      { label: 'no health check', filter: { not_health_check_filter: {} } },
      { label: 'header', filter: marked },
      {
        label: 'path',
        filter: { header_filter: { header: { name: ':path', string_match: { prefix: '/nowhere' } } } },
      },
      {
        label: 'no header',
        filter: { header_filter: { header: { name: 'x-log', present_match: true, invert_match: true } } },
      },
      { label: 'any flag', filter: { response_flag_filter: {} } },
      { label: 'no cluster', filter: { response_flag_filter: { flags: ['NC', 'UH'] } } },
      { label: 'and', filter: { and_filter: { filters: [found, marked] } } },
      { label: 'or', filter: { or_filter: { filters: [found, marked] } } },
    ],
    routes: [{ match: { prefix: '/nowhere' }, route: { cluster: 'nowhere' } }],
  },
  'logs-sampled': {
    logs: [
      { label: 'half', filter: share(50, 'HUNDRED') },
      { label: 'a thousandth', filter: share(10, 'TEN_THOUSAND') },
      { label: 'a millionth', filter: share(1, 'MILLION') },
      { label: 'nothing', filter: { runtime_filter: { runtime_key: 'log' } } },
      { label: 'everything', filter: share(100, 'HUNDRED', { use_independent_randomness: true }) },
      { label: 'more than everything', filter: share(500, 'HUNDRED') },
    ],
  },
} as const satisfies Readonly<Record<string, Setup>>;
