import { TimerWheel, systemClock, systemRandom } from '@heddle/base';
import { silentResolver } from '../../packages/proxy/src/dns/name-resolver.ts';
import { MetricRegistry } from '@heddle/telemetry';
import { encodeMessage, packAny, TypeUrl } from '@heddle/xds';
import { ConfigStore } from '../../packages/proxy/src/config/config-store.ts';
import { LargeMesh } from '../../benchmarks/macro/threads/configuration.ts';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import type { FuzzTarget } from '../target.ts';

const types = [
  TypeUrl.cluster,
  TypeUrl.clusterLoadAssignment,
  TypeUrl.routeConfiguration,
  TypeUrl.listener,
  TypeUrl.secret,
];

/** One byte for the type, then the resource. */
function seeds(): Uint8Array[] {
  const mesh = new LargeMesh(2, 2);
  return types.flatMap((typeUrl, index) =>
    [...mesh.list(null, typeUrl)].map((name) => {
      const resource = Resource.decode(mesh.get(null, typeUrl, name)!.bytes);
      return Buffer.concat([Buffer.from([index]), resource.resource!.value]);
    }),
  );
}

/** Whatever a control plane sends, a resource is taken or refused with problems, never with an exception. */
export const xdsResources: FuzzTarget = {
  name: 'xds-resources',
  seeds: [
    ...seeds(),
    Buffer.concat([
      Buffer.from([0]),
      encodeMessage(TypeUrl.cluster, {
        name: 'a',
        transportSocket: {
          name: 'envoy.transport_sockets.tls',
          configType: { $case: 'typedConfig', value: packAny(TypeUrl.upstreamTlsContext, { sni: 'a' }) },
        },
      }),
    ]),
  ],
  run: (input) => {
    const nothing = (): void => undefined;
    const store = new ConfigStore({
      random: systemRandom,
      clock: systemClock,
      timers: new TimerWheel(systemClock),
      resolver: silentResolver,
      metrics: new MetricRegistry(),
      createPool: () => ({ close: nothing, dropConnections: nothing }),
      observer: {
        subscribe: nothing,
        unsubscribe: nothing,
        onListenerChanged: nothing,
        onDnsListenerChanged: () => undefined,
        onDnsListenerRemoved: () => undefined,
        onListenerRemoved: nothing,
        onClusterChanged: () => undefined,
        onTrustBundleChanged: nothing,
        onCommitted: nothing,
      },
    });
    const typeUrl = types[(input[0] ?? 0) % types.length]!;
    store.applyResource(typeUrl, 'a', input.subarray(1));
    store.close();
  },
};
