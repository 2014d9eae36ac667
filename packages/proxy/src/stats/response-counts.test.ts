import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry, formatPrometheus } from '@heddle/telemetry';
import { ConnectionManagerMetrics } from './connection-manager-metrics.ts';

test("a response is counted for its connection manager and for its listener's", () => {
  const registry = new MetricRegistry();
  const metrics = new ConnectionManagerMetrics(registry.scope(), 'in', '127.0.0.1_80');
  for (const status of [200, 204, 404, 700]) metrics.countResponse(status);
  const text = formatPrometheus(registry.collect());
  const manager = 'envoy_http_conn_manager_prefix="in"';
  const owners: readonly (readonly [string, string])[] = [
    ['envoy_http', manager],
    ['envoy_listener_http', `${manager},envoy_listener_address="127.0.0.1_80"`],
  ];
  for (const [prefix, labels] of owners) {
    assert.ok(text.includes(`${prefix}_downstream_rq_completed{${labels}} 4\n`), prefix);
    assert.ok(
      text.includes(`${prefix}_downstream_rq_xx{${labels},envoy_response_code_class="2"} 2\n`),
      prefix,
    );
    assert.ok(
      text.includes(`${prefix}_downstream_rq_xx{${labels},envoy_response_code_class="4"} 1\n`),
      prefix,
    );
  }
});
