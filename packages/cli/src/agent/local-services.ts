// What an agent serves on its socket: secrets of its own, and streams to the control plane.
import type { Clock } from '@heddle/base';
import type { RpcClient, RpcMethod, RpcMethods, RpcPeer, RpcStream, RpcStreamHandler } from '@heddle/xds';
import { DeltaServer, deltaAdsMethod, sotwAdsMethod } from '@heddle/xds/server';
import { type DiscoveryDialect, incremental, stateOfTheWorld } from './discovery-dialect.ts';
import type { LocalSecrets } from './local-secrets.ts';
import { type RelayEvents, RelayedStream } from './relayed-stream.ts';

const secretService = '/envoy.service.secret.v3.SecretDiscoveryService/';
/** Load reports go to the control plane as they are. */
const loadReportMethod = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';

export interface LocalServicesOptions {
  readonly rpc: RpcClient;
  readonly secrets: LocalSecrets;
  readonly clock: Clock;
  readonly events: RelayEvents;
}

export class LocalServices {
  readonly methods: RpcMethods;
  private readonly server: DeltaServer;
  private readonly options: LocalServicesOptions;

  constructor(options: LocalServicesOptions) {
    this.options = options;
    this.server = new DeltaServer({ source: options.secrets, clock: options.clock });
    const methods = new Map<string, RpcMethod>([
      [deltaAdsMethod, this.relay(deltaAdsMethod, incremental)],
      [sotwAdsMethod, this.relay(sotwAdsMethod, stateOfTheWorld)],
      [loadReportMethod, { kind: 'stream', open: (stream) => this.passOn(loadReportMethod, stream) }],
    ]);
    for (const [path, method] of this.server.methods)
      if (path.startsWith(secretService)) methods.set(path, method);
    this.methods = methods;
  }

  close(): void {
    this.server.close();
  }

  private relay(path: string, dialect: DiscoveryDialect): RpcMethod {
    const { rpc, events } = this.options;
    const own = this.server.methods.get(path);
    return {
      kind: 'stream',
      open: (client, peer) =>
        new RelayedStream(
          client,
          dialect,
          (handler) => rpc.openStream(path, handler),
          (stream) => openOwn(own, stream, peer),
          events,
        ),
    };
  }

  private passOn(path: string, client: RpcStream): RpcStreamHandler {
    let isOver = false;
    const upstream = this.options.rpc.openStream(path, {
      onMessage: (message) => void client.send(message),
      onHalfClose: () => undefined,
      onWritable: () => undefined,
      onEnd: (status) => {
        if (!isOver) client.end(status);
        isOver = true;
      },
    });
    return {
      onMessage: (message) => void upstream.send(message),
      onHalfClose: () => upstream.end(),
      onWritable: () => undefined,
      onEnd: () => {
        isOver = true;
        upstream.cancel();
      },
    };
  }
}

function openOwn(method: RpcMethod | undefined, stream: RpcStream, peer: RpcPeer): RpcStreamHandler {
  if (method?.kind !== 'stream') throw new TypeError('xDS is served by streams');
  return method.open(stream, peer);
}
