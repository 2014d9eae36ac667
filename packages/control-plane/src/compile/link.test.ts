import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '@heddle/base';
import type { Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import { decodeMessage, TypeUrl, unpackAny } from '@heddle/xds';
import { connectionManager } from './connection-manager.ts';
import { inboundCluster, outboundCluster } from './clusters.ts';

const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
function valueOf<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok);
  return result.value;
}

function clusterOf(bytes: Uint8Array): Cluster {
  return valueOf(decodeMessage(TypeUrl.cluster, bytes)).message;
}

const plan = { name: 'outbound|80||a', port: 80, subset: '', labels: {}, protocol: 'http' };

test('sidecars offer each other HTTP/2, and take HTTP/1.1 where the other side has nothing else', () => {
  const cluster = clusterOf(outboundCluster(plan, 'a', []));
  const tls = valueOf(
    unpackAny(
      cluster.transportSocket?.configType?.value ?? assert.fail('no TLS'),
      TypeUrl.upstreamTlsContext,
    ),
  );
  assert.deepEqual(tls.commonTlsContext?.alpnProtocols, ['h2', 'http/1.1']);
  const options = valueOf(
    unpackAny(
      cluster.typedExtensionProtocolOptions[optionsName] ?? assert.fail('no options'),
      TypeUrl.upstreamHttpProtocolOptions,
    ),
  );
  const protocols = options.upstreamProtocolOptions;
  assert.ok(protocols?.$case === 'autoConfig');
  // A new link by load, and by age.
  assert.equal(protocols.value.http2ProtocolOptions?.maxConcurrentStreams, 128);
  assert.equal(options.commonHttpProtocolOptions?.maxConnectionDuration?.seconds, 3600);
});

test('an application is spoken to as it says it wants to be', () => {
  const [http1, http2] = [false, true].map((isHttp2) => clusterOf(inboundCluster(80, 8080, isHttp2)));
  assert.deepEqual(http1!.typedExtensionProtocolOptions, {});
  const options = valueOf(
    unpackAny(http2!.typedExtensionProtocolOptions[optionsName]!, TypeUrl.upstreamHttpProtocolOptions),
  );
  const specific = options.upstreamProtocolOptions;
  assert.ok(specific?.$case === 'explicitHttpConfig');
  assert.equal(specific.value.protocolConfig?.$case, 'http2ProtocolOptions');
});

test('WebSockets go through every listener, and over the link', () => {
  const manager = connectionManager({ accessLog: '' }, 'a');
  assert.deepEqual(manager.upgradeConfigs, [{ upgradeType: 'websocket' }]);
  assert.equal(manager.http2ProtocolOptions?.allowConnect, true);
});
