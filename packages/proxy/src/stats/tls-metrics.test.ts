import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { dottedName } from '../admin/stat-names.ts';
import type { TlsSession } from '../transport/transport.ts';
import { TlsMetrics } from './tls-metrics.ts';

const session: TlsSession = {
  serverName: '',
  alpn: '',
  version: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  isResumed: true,
  peer: null,
};

function counted(registry: MetricRegistry): Record<string, number> {
  const values: Record<string, number> = {};
  for (const family of registry.collect()) {
    if (family.type === 'histogram') continue;
    for (const { labels, value } of family.samples) {
      if (value > 0) values[dottedName(family.name, labels)] = value;
    }
  }
  return values;
}

test("counts a listener's handshakes under Envoy's names", () => {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  const metrics = new TlsMetrics(scope, { listenerAddress: '127.0.0.1_443' });
  metrics.onHandshake(session);
  metrics.onHandshake({ ...session, isResumed: false });
  metrics.onConnectionError();
  metrics.onPeerRefused('error');
  metrics.onPeerRefused('no-certificate');
  metrics.onPeerRefused('san');
  metrics.onPeerRefused('hash');
  const listener = 'listener.127.0.0.1_443.ssl';
  assert.deepEqual(counted(registry), {
    [`${listener}.handshake`]: 2,
    [`${listener}.session_reused`]: 1,
    [`${listener}.no_certificate`]: 2,
    [`${listener}.connection_error`]: 1,
    [`${listener}.fail_verify_error`]: 1,
    [`${listener}.fail_verify_no_cert`]: 1,
    [`${listener}.fail_verify_san`]: 1,
    [`${listener}.fail_verify_cert_hash`]: 1,
    [`${listener}.versions.TLSv1.3`]: 2,
    [`${listener}.ciphers.TLS_AES_128_GCM_SHA256`]: 2,
  });
  scope.close();
  assert.deepEqual(registry.collect(), []);
});

test("counts a cluster's handshakes under its name", () => {
  const registry = new MetricRegistry();
  new TlsMetrics(registry.scope(), { clusterName: 'reviews' }).onHandshake(session);
  assert.equal(counted(registry)['cluster.reviews.ssl.session_reused'], 1);
});
