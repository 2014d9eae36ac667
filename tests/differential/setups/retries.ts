// Retry policies.
import { type Setup, type } from './parts.ts';

export const retrySetups = {
  'retries-connect': {
    action: { retry_policy: { retry_on: 'connect-failure', num_retries: 2 } },
    virtualHost: { include_attempt_count_in_response: true },
    isUpstreamDown: true,
  },
  'retries-connect-none': {
    action: { retry_policy: { retry_on: 'reset-before-request', num_retries: 0 } },
    isUpstreamDown: true,
  },
  'retries-full': {
    action: { retry_policy: { retry_on: 'connect-failure', num_retries: 2 } },
    cluster: { circuit_breakers: { thresholds: [{ max_retries: 0 }] } },
    isUpstreamDown: true,
  },
  'retries-no-budget': {
    action: { retry_policy: { retry_on: 'connect-failure', num_retries: 2 } },
    cluster: {
      circuit_breakers: {
        thresholds: [{ retry_budget: { budget_percent: { value: 0 }, min_retry_concurrency: 0 } }],
      },
    },
    isUpstreamDown: true,
  },
  'retries-before': { action: { retry_policy: { retry_on: 'reset-before-request,refused-stream' } } },
  retries: {
    action: {
      retry_policy: {
        retry_on: 'reset,gateway-error,retriable-4xx,retriable-status-codes',
        retriable_status_codes: [418],
        retry_back_off: { base_interval: '0.01s', max_interval: '0.02s' },
      },
    },
    virtualHost: { include_request_attempt_count: true, include_attempt_count_in_response: true },
  },
  'retries-small': {
    action: {
      retry_policy: {
        retry_on: 'reset,5xx',
        retry_back_off: { base_interval: '0.01s', max_interval: '0.02s' },
      },
    },
    virtualHost: { include_request_attempt_count: true, per_request_buffer_limit_bytes: 8 },
  },
  'retries-elsewhere': {
    action: {
      retry_policy: {
        retry_on: 'connect-failure',
        num_retries: 1,
        retry_host_predicate: [
          {
            name: 'envoy.retry_host_predicates.previous_hosts',
            typed_config: { '@type': type('retry.host.previous_hosts.v3.PreviousHostsPredicate') },
          },
        ],
        host_selection_retry_max_attempts: 100,
      },
    },
    cluster: { lb_policy: 'RANDOM' },
    hasDeadEndpoint: true,
  },
  tries: {
    action: {
      retry_policy: {
        retry_on: '5xx,retriable-headers',
        per_try_timeout: '0.5s',
        retriable_headers: [{ name: 'x-again', string_match: { exact: 'yes' } }],
        retriable_request_headers: [
          { name: 'x-tried', present_match: true },
          { name: ':method', string_match: { exact: 'PUT' } },
        ],
        rate_limited_retry_back_off: { reset_headers: [{ name: 'Retry-After' }], max_interval: '5s' },
      },
    },
    virtualHost: { include_request_attempt_count: true, include_is_timeout_retry_header: true },
  },
  'tries-idle': {
    action: { timeout: '0s', retry_policy: { per_try_idle_timeout: '0.4s' } },
  },
} as const satisfies Readonly<Record<string, Setup>>;
