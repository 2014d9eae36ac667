// Configurations that inject faults.
import { type Json, type Setup, type } from './parts.ts';

const name = 'envoy.filters.http.fault';
const fault = (config: Json): Json => ({ '@type': type('filters.http.fault.v3.HTTPFault'), ...config });
const always = { numerator: 100 };
const at = (path: string, config: Json): Json => ({
  match: { path },
  route: { cluster: 'be', timeout: '1s' },
  typed_per_filter_config: { [name]: fault(config) },
});
const abort = (http_status: number): Json => ({ abort: { http_status, percentage: always } });
const delay = { delay: { fixed_delay: '0.2s', percentage: always } };

export const faultSetups = {
  faults: {
    httpFilters: [{ name, typed_config: fault({}) }],
    routes: [
      at('/abort', abort(429)),
      at('/grpc', { abort: { grpc_status: 14, percentage: always } }),
      at('/delay', delay),
      at('/both', { ...delay, ...abort(503) }),
      at('/none', { abort: { http_status: 503, percentage: { numerator: 0 } } }),
      at('/cluster', { ...abort(503), upstream_cluster: 'other' }),
      at('/headers', { ...abort(503), headers: [{ name: 'x-fault', present_match: true }] }),
      at('/full', { ...abort(503), max_active_faults: 0 }),
      at('/asked', {
        abort: { header_abort: {}, percentage: always },
        delay: { header_delay: {}, percentage: always },
      }),
    ],
    logs: [{ label: 'flagged', filter: { response_flag_filter: { flags: ['DI', 'FI'] } } }],
  },
} as const satisfies Readonly<Record<string, Setup>>;
