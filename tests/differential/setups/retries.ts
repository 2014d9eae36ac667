// Retry policies.
import type { Setup } from './parts.ts';

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
} as const satisfies Readonly<Record<string, Setup>>;
