import assert from 'node:assert/strict';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../generated/envoy/service/discovery/v3/discovery.ts';
import type { ReceivedResource, ResourceSink } from '../client/resource-sink.ts';
import type { RpcClient, RpcMethod, RpcReply, RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { testPeer } from './test-client.ts';

/** One stream as the server sees it; it does what the test says and nothing by itself. */
export class ServedStream implements RpcStream {
  readonly requests: DeltaDiscoveryRequest[] = [];
  readonly handler: RpcStreamHandler;
  isRoomy = true;
  isCancelled = false;

  constructor(handler: RpcStreamHandler) {
    this.handler = handler;
  }

  send(message: Uint8Array): boolean {
    this.requests.push(DeltaDiscoveryRequest.decode(message));
    return this.isRoomy;
  }

  end(): void {}

  cancel(): void {
    this.isCancelled = true;
  }

  /** The requests that came since the last time. */
  take(): DeltaDiscoveryRequest[] {
    return this.requests.splice(0);
  }

  /** The one request that came since the last time. */
  takeOne(): DeltaDiscoveryRequest {
    const requests = this.take();
    assert.equal(requests.length, 1, JSON.stringify(requests));
    return requests[0]!;
  }

  respond(
    typeUrl: string,
    nonce: string,
    versions: Readonly<Record<string, string>>,
    removed: string[] = [],
  ): void {
    this.handler.onMessage(
      DeltaDiscoveryResponse.encode(
        DeltaDiscoveryResponse.fromPartial({
          typeUrl,
          nonce,
          removedResources: removed,
          resources: Object.entries(versions).map(([name, version]) => ({
            name,
            version,
            resource: { typeUrl, value: Buffer.from(`${name}@${version}`) },
          })),
        }),
      ).finish(),
    );
  }

  fail(status: RpcStatus = { code: 14, message: 'gone' }): void {
    this.handler.onEnd(status);
  }
}

/** Hands out streams that the test serves. */
export class ServedRpc implements RpcClient {
  readonly streams: ServedStream[] = [];

  openStream(_method: string, handler: RpcStreamHandler): RpcStream {
    const stream = new ServedStream(handler);
    this.streams.push(stream);
    return stream;
  }

  /** The stream that was opened last. */
  get stream(): ServedStream {
    return this.streams.at(-1)!;
  }

  call(): Promise<RpcReply> {
    return Promise.reject(new Error('not served'));
  }

  close(): void {}
}

/** Joins a client to a server's method directly; each message arrives in a microtask of its own. */
export class DirectRpc implements RpcClient {
  /** False makes new streams fail. */
  isReachable = true;
  private readonly method: RpcMethod;
  private cut: ((status: RpcStatus) => void) | null = null;

  constructor(method: RpcMethod) {
    this.method = method;
  }

  openStream(_method: string, client: RpcStreamHandler): RpcStream {
    let isOver = false;
    let server: RpcStreamHandler | null = null;
    const over = (status: RpcStatus): void => {
      if (isOver) return;
      isOver = true;
      server?.onEnd(status);
      queueMicrotask(() => client.onEnd(status));
    };
    const later = (action: () => void): true => {
      queueMicrotask(() => {
        if (!isOver) action();
      });
      return true;
    };
    this.cut = over;
    if (!this.isReachable || this.method.kind !== 'stream') {
      queueMicrotask(() => over({ code: 14, message: 'unreachable' }));
    } else {
      const toClient: RpcStream = {
        send: (message) => later(() => client.onMessage(message)),
        end: (status = { code: 0, message: '' }) => queueMicrotask(() => over(status)),
        cancel: () => over({ code: 1, message: 'cancelled' }),
      };
      server = this.method.open(toClient, testPeer);
    }
    return {
      send: (message) => later(() => server?.onMessage(message)),
      end: () => later(() => server?.onHalfClose()),
      cancel: () => over({ code: 1, message: 'cancelled' }),
    };
  }

  /** The connection is lost. */
  lose(): void {
    this.cut?.({ code: 14, message: 'lost' });
  }

  call(): Promise<RpcReply> {
    return Promise.reject(new Error('not served'));
  }

  close(): void {}
}

/** Writes down what it is handed: `+name@version`, `-name`, `=type`. */
export class RecordingSink implements ResourceSink {
  readonly log: string[] = [];
  /** What is in use, by type and name. */
  readonly state = new Map<string, string>();
  /** Says why a resource is refused. */
  refuse: (typeUrl: string, resource: ReceivedResource) => string | null = () => null;
  /** Called after each resource that was taken. */
  onApplied: (typeUrl: string, name: string) => void = () => undefined;

  apply(typeUrl: string, resource: ReceivedResource): string | null {
    const reason = this.refuse(typeUrl, resource);
    if (reason !== null) return reason;
    this.log.push(`+${resource.name}@${resource.version}`);
    this.state.set(`${typeUrl} ${resource.name}`, Buffer.from(resource.bytes).toString());
    this.onApplied(typeUrl, resource.name);
    return null;
  }

  remove(typeUrl: string, name: string): void {
    this.log.push(`-${name}`);
    this.state.delete(`${typeUrl} ${name}`);
  }

  commit(typeUrl: string): void {
    this.log.push(`=${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)}`);
  }

  take(): string[] {
    return this.log.splice(0);
  }
}
