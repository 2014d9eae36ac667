// What a sidecar does, in pieces that can be put on threads: talking xDS, compiling, moving bytes.
import { createServer } from 'node:net';
import { silentResolver } from '../../../packages/proxy/src/dns/name-resolver.ts';
import { type Clock, silentLogger, systemClock, systemRandom, TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import type { ResourceSink } from '@heddle/xds';
import { DeltaClient } from '@heddle/xds/client';
import { GrpcClient } from '@heddle/proxy/grpc-client';
import { openTransport } from '@heddle/proxy/open-transport';
import { ConfigStore, type ConfigObserver } from '../../../packages/proxy/src/config/config-store.ts';
import type { EndpointPool } from '../../../packages/proxy/src/cluster/endpoint.ts';

/** Talks xDS to the control plane at `port`. */
export function createXdsClient(
  port: number,
  sink: ResourceSink,
  sliceMs: number,
  onSynced: () => void,
): DeltaClient {
  const clock: Clock = systemClock;
  const rpc = new GrpcClient({
    transport: openTransport(clock, silentLogger),
    address: { host: '127.0.0.1', port },
    security: null,
    clock,
    random: systemRandom,
  });
  const node = { id: 'sidecar~client-1~client.default~default.svc.cluster.local', cluster: 'client.default' };
  return new DeltaClient({ rpc, node, sink, clock, random: systemRandom, sliceMs, hooks: { onSynced } });
}

/** Compiles resources; asks for others by name through `ask`. */
export function createStore(
  ask: Pick<ConfigObserver<EndpointPool>, 'subscribe' | 'unsubscribe'>,
): ConfigStore<EndpointPool> {
  return new ConfigStore<EndpointPool>({
    random: systemRandom,
    clock: systemClock,
    timers: new TimerWheel(systemClock),
    resolver: silentResolver,
    metrics: new MetricRegistry(),
    createPool: () => ({ close: () => undefined, dropConnections: () => undefined }),
    observer: {
      subscribe: (typeUrl, names) => ask.subscribe(typeUrl, names),
      unsubscribe: (typeUrl, names) => ask.unsubscribe(typeUrl, names),
      onListenerChanged: () => undefined,
      onDnsListenerChanged: () => undefined,
      onDnsListenerRemoved: () => undefined,
      onListenerRemoved: () => undefined,
      onClusterChanged: () => undefined,
      onTrustBundleChanged: () => undefined,
      onCommitted: () => undefined,
    },
  });
}

/** Moves bytes: whatever comes is sent back. Tells its port. */
export function startMovingBytes(onListening: (port: number) => void): void {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') onListening(address.port);
  });
}
