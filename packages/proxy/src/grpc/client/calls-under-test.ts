// Calls whose handlers' news are written down, and a server for them in memory and on virtual time.
import assert from 'node:assert/strict';
import { type RpcClient, RpcCode, type RpcStatus, type RpcStream } from '@heddle/xds';
import { InMemoryNetwork, VirtualClock } from '@heddle/testkit';
import type { Http2ServerOwner } from '../../http2/connection-owner.ts';
import type { Http2Options } from '../../http2/http2-options.ts';
import { Http2ServerConnection } from '../../http2/server-connection.ts';
import { RecordingHandler } from '../../http2/test-handler.ts';
import { fieldsOf, testContext, testSettings } from '../../http2/test-servers.ts';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { GrpcClient, type GrpcClientOptions } from './grpc-client.ts';

/** A stream with everything its handler was told. */
export class OpenedStream {
  readonly messages: string[] = [];
  readonly ended: Promise<RpcStatus>;
  readonly stream: RpcStream;
  writable = 0;
  private waiting: (() => void)[] = [];

  constructor(client: RpcClient, method: string) {
    const { promise, resolve } = Promise.withResolvers<RpcStatus>();
    this.ended = promise;
    this.stream = client.openStream(method, {
      onMessage: (message) => {
        this.messages.push(Buffer.from(message).toString());
        for (const wake of this.waiting.splice(0)) wake();
      },
      onHalfClose: () => assert.fail('for servers only'),
      onWritable: () => {
        this.writable++;
        for (const wake of this.waiting.splice(0)) wake();
      },
      onEnd: resolve,
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.waiting.push(resolve);
      await promise;
    }
  }
}

export interface ServedCalls {
  readonly clock: VirtualClock;
  readonly network: InMemoryNetwork;
  readonly client: GrpcClient;
  /** What the server has accepted so far. */
  readonly connections: Http2ServerConnection[];
  /** Calls that have arrived so far, on whichever connection. */
  readonly calls: RecordingHandler[];
}

export interface ServedCallsOptions {
  readonly client?: Partial<GrpcClientOptions>;
  readonly server?: Partial<Http2Options>;
  readonly serverSecurity?: LinkSecurity;
}

/** A client and a server that takes calls and leaves it to the test what becomes of them. */
export async function servedCalls(options: ServedCallsOptions = {}): Promise<ServedCalls> {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 'calls' });
  const identity = 'spiffe://cluster.local/ns/a/sa/b';
  const server = network.addNode({ name: 'server', addresses: ['10.0.0.1'], identity });
  const client = network.addNode({ name: 'client', addresses: ['10.0.0.2'], identity });
  const connections: Http2ServerConnection[] = [];
  const calls: RecordingHandler[] = [];
  const owner: Http2ServerOwner = {
    onStream: (stream) => {
      const handler = new RecordingHandler();
      handler.stream = stream;
      calls.push(handler);
      return handler;
    },
    onBusyChanged: () => undefined,
    onLingering: () => undefined,
    onFault: () => undefined,
    onGone: () => undefined,
  };
  const context = testContext(clock, server.random);
  const address = { host: '10.0.0.1', port: 80 };
  await server.listen({ address, security: options.serverSecurity ?? null }, (connection) => {
    const served = new Http2ServerConnection(connection, owner, testSettings(options.server), context);
    connections.push(served);
    return served;
  });
  return {
    clock,
    network,
    connections,
    calls,
    client: new GrpcClient({
      transport: client,
      address,
      security: null,
      clock,
      random: client.random,
      ...options.client,
    }),
  };
}

/** Ends a call in order, with the status 0. */
export function answer(call: RecordingHandler): void {
  const { stream } = call;
  stream!.sendHeaders(fieldsOf([':status', '200'], ['content-type', 'application/grpc']), false);
  stream!.sendTrailers(fieldsOf(['grpc-status', String(RpcCode.ok)]));
}
