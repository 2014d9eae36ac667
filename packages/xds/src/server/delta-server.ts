// The server's side of incremental xDS: pure protocol over `RpcStream`. What it serves comes from a `ResourceSource`.
import type { Clock } from '@heddle/base';
import { RpcCode } from '../rpc.ts';
import type { RpcMethod, RpcMethods, RpcPeer, RpcStatus, RpcStream } from '../rpc.ts';
import { resourceTypeUrls, TypeUrl } from '../type-url.ts';
import { waitForAcknowledgements } from './acknowledgements.ts';
import type { AcknowledgementOutcome, AcknowledgementTarget } from './acknowledgements.ts';
import { ChangeLog } from './change-log.ts';
import { DeltaStream } from './delta-stream.ts';
import type { StreamContext, StreamOptions } from './delta-stream.ts';
import { FirstSyncSlots } from './first-sync-slots.ts';
import { NameTable } from './name-table.ts';
import type { ResourceSource, XdsClient } from './resource-source.ts';
import { RequestReader } from './request-reader.ts';
import { ResponseCache } from './response-cache.ts';
import { PushWindow } from './push-window.ts';
import { SotwStream, wholeTypeUrls } from './sotw-stream.ts';
import type { RejectedResource, ResourceStatus, StreamStatus, Subscription } from './stream-status.ts';

export type { AcknowledgementOutcome, AcknowledgementTarget };

/** The path of the method that `DeltaServer.method` serves. */
export const deltaAdsMethod =
  '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
/** The path of aggregated streams of the state of the world: those of gRPC's clients, and of Envoy unless it is told otherwise. */
export const sotwAdsMethod =
  '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';

/** Services whose streams are of one type. */
const discoveryServices: readonly {
  readonly service: string;
  readonly resources: string;
  readonly typeUrl: string;
  /** There is no state of the world of these. */
  readonly isIncrementalOnly?: boolean;
}[] = [
  {
    service: 'envoy.service.listener.v3.ListenerDiscoveryService',
    resources: 'Listeners',
    typeUrl: TypeUrl.listener,
  },
  {
    service: 'envoy.service.route.v3.RouteDiscoveryService',
    resources: 'Routes',
    typeUrl: TypeUrl.routeConfiguration,
  },
  {
    service: 'envoy.service.route.v3.VirtualHostDiscoveryService',
    resources: 'VirtualHosts',
    typeUrl: TypeUrl.virtualHost,
    isIncrementalOnly: true,
  },
  {
    service: 'envoy.service.cluster.v3.ClusterDiscoveryService',
    resources: 'Clusters',
    typeUrl: TypeUrl.cluster,
  },
  {
    service: 'envoy.service.endpoint.v3.EndpointDiscoveryService',
    resources: 'Endpoints',
    typeUrl: TypeUrl.clusterLoadAssignment,
  },
  {
    service: 'envoy.service.secret.v3.SecretDiscoveryService',
    resources: 'Secrets',
    typeUrl: TypeUrl.secret,
  },
];

/** What the server's owner is told, synchronously. */
export interface DeltaServerHooks {
  /** A client said who it is. Null lets it in; the owner checks that the node belongs to the certificate's identity. */
  onConnect?(client: XdsClient): RpcStatus | null;
  /** A client that had been let in is gone. */
  onDisconnect?(client: XdsClient): void;
  /** A response with these names is on its way. */
  onSend?(client: XdsClient, typeUrl: string, names: readonly string[]): void;
  onAck?(client: XdsClient, typeUrl: string, names: readonly string[]): void;
  onNack?(client: XdsClient, rejected: readonly RejectedResource[]): void;
  /** The source failed; the stream is ended. */
  onError?(client: XdsClient | null, error: unknown): void;
}

export interface DeltaServerOptions {
  readonly source: ResourceSource;
  readonly clock: Clock;
  readonly hooks?: DeltaServerHooks;
  /** How this control plane names itself to clients; the default is `heddle`. */
  readonly identifier?: string;
  /**
   * How long one step of a change may wait for the one before it to be confirmed, so that a client that refuses or never
   * answers cannot hold it up for ever. The default is 5,000.
   */
  readonly holdTimeoutMs?: number;
  /**
   * A response is divided above this size; the default is 64 KiB. A client decodes a response at once: measured with 1 MiB, its
   * traffic stood still a third longer (docs/decisions/0002-threads.md).
   */
  readonly maxResponseBytes?: number;
  /** The default is 100,000. */
  readonly maxNamesPerType?: number;
  /**
   * Changes that come so soon after another are sent together, at most once in this time; the first after a pause is sent at once. The
   * default is 0: each by itself.
   */
  readonly mergeWindowMs?: number;
  /** How many clients may be in their first sync at once; the default is 64. */
  readonly maxFirstSyncs?: number;
  /** How much of what was sent is kept to be shared; the default is 8 MiB. */
  readonly maxSharedBytes?: number;
}

export class DeltaServer {
  /** To be registered under `deltaAdsMethod`. */
  readonly method: RpcMethod;
  /** All streams of xDS by their paths: aggregated or of one type, incremental or the state of the world. */
  readonly methods: RpcMethods;
  private readonly streams = new Set<DeltaStream>();
  private readonly names = new Map<string, NameTable>();
  private readonly clock: Clock;
  private readonly window: PushWindow;
  private readonly unwatch: () => void;

  constructor(options: DeltaServerOptions) {
    this.clock = options.clock;
    const changes = new ChangeLog();
    const context: StreamContext = {
      changes,
      requests: new RequestReader(),
      source: options.source,
      clock: options.clock,
      hooks: options.hooks ?? {},
      responses: new ResponseCache(options.identifier ?? 'heddle', options.maxSharedBytes ?? 8 * 1024 * 1024),
      slots: new FirstSyncSlots(options.maxFirstSyncs ?? 64),
      holdTimeoutMs: options.holdTimeoutMs ?? 5000,
      maxResponseBytes: options.maxResponseBytes ?? 64 * 1024,
      maxNamesPerType: options.maxNamesPerType ?? 100_000,
      nameTable: (typeUrl) => this.nameTable(typeUrl),
      forgetNames: () => this.forgetNames(),
      onClosed: (stream) => {
        this.streams.delete(stream);
        this.forgetTypes();
      },
    };
    this.method = this.delta(context, {});
    const methods = new Map([
      [deltaAdsMethod, this.method],
      [sotwAdsMethod, this.sotw(context, null)],
    ]);
    for (const { service, resources, typeUrl, isIncrementalOnly = false } of discoveryServices) {
      methods.set(`/${service}/Delta${resources}`, this.delta(context, { implicitType: typeUrl }));
      if (!isIncrementalOnly) methods.set(`/${service}/Stream${resources}`, this.sotw(context, typeUrl));
    }
    this.methods = methods;
    this.window = new PushWindow(options.clock, options.mergeWindowMs ?? 0, () => {
      for (const stream of this.streams) stream.pushChanges();
      changes.clear();
    });
    this.unwatch = options.source.watch((told) => {
      this.forgetNames();
      changes.add(told);
      // Whom something concerns may be otherwise later.
      if (told.some(({ concerns }) => concerns !== undefined))
        for (const stream of this.streams) stream.noteChanges();
      this.window.request();
    });
  }

  private delta(context: StreamContext, options: StreamOptions): RpcMethod {
    return { kind: 'stream', open: (stream, peer) => this.open(context, stream, peer, options) };
  }

  private sotw(context: StreamContext, implicitType: string | null): RpcMethod {
    const options = { implicitType, wholeTypes: wholeTypeUrls };
    return {
      kind: 'stream',
      open: (client, peer) =>
        new SotwStream(client, implicitType).attach((stream) => this.open(context, stream, peer, options)),
    };
  }

  private open(
    context: StreamContext,
    stream: RpcStream,
    peer: RpcPeer,
    options: StreamOptions,
  ): DeltaStream {
    const opened = new DeltaStream(context, stream, peer, options);
    this.streams.add(opened);
    return opened;
  }

  private nameTable(typeUrl: string): NameTable {
    let table = this.names.get(typeUrl);
    if (table === undefined) {
      table = new NameTable();
      this.names.set(typeUrl, table);
    }
    return table;
  }

  /** Drops the tables of types that nobody serves and nobody asks for any more: clients choose how they are called. */
  private forgetTypes(): void {
    for (const typeUrl of this.names.keys()) {
      if ((resourceTypeUrls as readonly string[]).includes(typeUrl)) continue;
      if ([...this.streams].every((stream) => stream.namesOf(typeUrl) === undefined))
        this.names.delete(typeUrl);
    }
  }

  /** Drops the names that no stream has anything to say of, where there may be many. */
  private forgetNames(): void {
    for (const [typeUrl, table] of this.names) {
      if (!table.isWorthCompacting) continue;
      const states = [...this.streams].flatMap((stream) => stream.namesOf(typeUrl) ?? []);
      const used = new Uint8Array(table.size);
      for (const state of states) state.markIds(used);
      const moved = table.compact(used);
      for (const state of states) state.moveIds(moved);
    }
  }

  /** The clients that are connected now. */
  status(): StreamStatus[] {
    const result: StreamStatus[] = [];
    for (const stream of this.streams) {
      const status = stream.status();
      if (status !== null) result.push(status);
    }
    return result;
  }

  /** What each connected client has asked for. */
  subscriptions(): Subscription[] {
    return [...this.streams].flatMap((stream) => stream.subscription() ?? []);
  }

  /** Each connected client, and what it knows of each resource. */
  *clients(): Generator<{ readonly client: XdsClient; readonly resources: Iterable<ResourceStatus> }> {
    for (const stream of this.streams)
      if (stream.client !== null) yield { client: stream.client, resources: stream.resources() };
  }

  /**
   * Resolves when every connected client that was told an older state of any target has confirmed the present one, has
   * unsubscribed, or is gone; or else after `timeoutMs`. Call it after the source has told the change.
   */
  whenAcknowledged(
    targets: readonly AcknowledgementTarget[],
    timeoutMs: number,
  ): Promise<AcknowledgementOutcome> {
    return waitForAcknowledgements(this.streams, targets, timeoutMs, this.clock);
  }

  /** Ends the streams of the clients that match; all by default. Clients come back by themselves. */
  disconnect(status: RpcStatus, matches?: (client: XdsClient) => boolean): void {
    for (const stream of this.streams) {
      if (matches === undefined || (stream.client !== null && matches(stream.client))) stream.close(status);
    }
  }

  /** Ends all streams and stops listening to the source. */
  close(): void {
    this.unwatch();
    this.window.close();
    this.disconnect({ code: RpcCode.unavailable, message: 'The control plane is shutting down.' });
  }
}
