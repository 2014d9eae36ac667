// Our xDS client over our own gRPC against the library that the control plane serves with: @grpc/grpc-js.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { Server, ServerCredentials, status as grpcStatus } from '@grpc/grpc-js';
import type { ServerDuplexStream, handleUnaryCall } from '@grpc/grpc-js';
import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import { RpcCode, TypeUrl, encodeMessage, encodeResource } from '@heddle/xds';
import type { EncodedResource, ReceivedResource, ResourceChange, RpcStreamHandler } from '@heddle/xds';
import { DeltaClient } from '@heddle/xds/client';
import { GrpcClient } from '@heddle/proxy/grpc-client';
import { openTransport } from '@heddle/proxy/open-transport';
import { DeltaServer, deltaAdsMethod } from '@heddle/xds/server';

const peer = {
  identity: 'spiffe://cluster.local/ns/default/sa/a',
  remoteAddress: '',
  certificateNotAfter: 0,
};
const bytes = (value: Buffer): Buffer => value;

/** A grpc-js server with the xDS service and two unary methods, and a client of ours. */
async function serving(context: TestContext, xds: DeltaServer): Promise<GrpcClient> {
  const server = new Server();
  const echo: handleUnaryCall<Buffer, Buffer> = (call, reply) => reply(null, call.request);
  const fail: handleUnaryCall<Buffer, Buffer> = (_call, reply) =>
    reply({ code: grpcStatus.PERMISSION_DENIED, details: 'not you, ü' });
  const common = {
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  const unary = { ...common, requestStream: false, responseStream: false };
  server.addService(
    {
      stream: { ...common, path: deltaAdsMethod, requestStream: true, responseStream: true },
      echo: { ...unary, path: '/test/Echo' },
      fail: { ...unary, path: '/test/Fail' },
    },
    {
      echo,
      fail,
      stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
        assert.equal(xds.method.kind, 'stream');
        const handler: RpcStreamHandler = xds.method.open(
          {
            send: (message) =>
              call.write(Buffer.from(message.buffer, message.byteOffset, message.byteLength)),
            end: (status) => {
              if (status === undefined || status.code === RpcCode.ok) call.end();
              else call.emit('error', { code: status.code, details: status.message });
            },
            cancel: () => call.destroy(),
          },
          peer,
        );
        call.on('data', (message: Buffer) => handler.onMessage(message));
        call.on('drain', () => handler.onWritable());
        call.on('end', () => handler.onHalfClose());
        call.on('cancelled', () => handler.onEnd({ code: RpcCode.cancelled, message: '' }));
        call.on('error', () => undefined);
      },
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port);
    else reject(error);
  });
  const port = await promise;
  const client = new GrpcClient({
    transport: openTransport(systemClock, silentLogger),
    address: { host: '127.0.0.1', port },
    security: null,
    clock: systemClock,
    random: systemRandom,
  });
  context.after(() => {
    client.close();
    xds.close();
    server.forceShutdown();
  });
  return client;
}

/** Clusters that a test sets; everybody gets the same ones. */
class Clusters {
  readonly resources = new Map<string, EncodedResource>();
  tell: (changes: readonly ResourceChange[]) => void = () => undefined;

  get(_client: unknown, typeUrl: string, name: string): EncodedResource | undefined {
    return typeUrl === TypeUrl.cluster ? this.resources.get(name) : undefined;
  }

  list(_client: unknown, typeUrl: string): Iterable<string> {
    return typeUrl === TypeUrl.cluster ? this.resources.keys() : [];
  }

  watch(listener: (changes: readonly ResourceChange[]) => void): () => void {
    this.tell = listener;
    return () => undefined;
  }

  set(name: string, version: string): void {
    const message = encodeMessage(TypeUrl.cluster, { name, altStatName: 'x'.repeat(1000) });
    this.resources.set(name, encodeResource(TypeUrl.cluster, name, version, message));
  }
}

describe('gRPC client against grpc-js', () => {
  it('gets unary answers and failures', async (context) => {
    const client = await serving(context, new DeltaServer({ source: new Clusters(), clock: systemClock }));
    const large = Buffer.alloc(1_000_000, 'x');
    const reply = await client.call('/test/Echo', large, 5000);
    assert.equal(reply.status.code, RpcCode.ok);
    assert.ok(large.equals(reply.message));
    const failed = await client.call('/test/Fail', Buffer.alloc(0), 5000);
    assert.deepEqual(failed.status, { code: RpcCode.permissionDenied, message: 'not you, ü' });
    assert.equal(
      (await client.call('/test/Missing', Buffer.alloc(0), 5000)).status.code,
      RpcCode.unimplemented,
    );
  });

  it('is told who refused it and why', async (context) => {
    const xds = new DeltaServer({
      source: new Clusters(),
      clock: systemClock,
      hooks: { onConnect: () => ({ code: RpcCode.permissionDenied, message: 'not your node' }) },
    });
    const rpc = await serving(context, xds);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const client = new DeltaClient({
      rpc,
      sink: { apply: () => null, remove: () => undefined, commit: () => undefined },
      clock: systemClock,
      random: systemRandom,
      node: { id: 'n' },
      hooks: { onDisconnected: resolve },
    });
    client.start();
    assert.deepEqual(await promise, { code: RpcCode.permissionDenied, message: 'not your node' });
    client.close();
  });

  it('receives 3,000 clusters of a kilobyte and then one change', async (context) => {
    const clusters = new Clusters();
    for (let index = 0; index < 3000; index++) clusters.set(`c${index}`, '1');
    const xds = new DeltaServer({ source: clusters, clock: systemClock });
    const rpc = await serving(context, xds);
    const received: ReceivedResource[] = [];
    const synced = Promise.withResolvers<void>();
    let onReceived: () => void = () => undefined;
    const client = new DeltaClient({
      rpc,
      sink: {
        apply: (_typeUrl, resource) => {
          received.push(resource);
          return null;
        },
        remove: () => undefined,
        commit: () => onReceived(),
      },
      clock: systemClock,
      random: systemRandom,
      node: { id: 'n' },
      hooks: { onSynced: synced.resolve },
    });
    client.start();
    await synced.promise;
    assert.equal(new Set(received.map(({ name }) => name)).size, 3000);
    const changed = Promise.withResolvers<void>();
    onReceived = changed.resolve;
    received.length = 0;
    clusters.set('c7', '2');
    clusters.tell([{ typeUrl: TypeUrl.cluster, names: new Set(['c7']) }]);
    const outcome = await xds.whenAcknowledged([{ typeUrl: TypeUrl.cluster, name: 'c7' }], 5000);
    await changed.promise;
    assert.deepEqual(outcome, { acknowledged: true, waiting: 0 });
    assert.deepEqual(
      received.map(({ name, version }) => `${name}@${version}`),
      ['c7@2'],
    );
    client.close();
  });
});
