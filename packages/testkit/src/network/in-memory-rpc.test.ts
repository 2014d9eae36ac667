import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  RpcCode,
  type RpcClient,
  type RpcMethod,
  type RpcPeer,
  type RpcStatus,
  type RpcStream,
} from '@heddle/xds';
import { VirtualClock } from '../virtual-clock.ts';
import { InMemoryNetwork, type SimulatedNode } from './in-memory-network.ts';
import { createInMemoryRpcClient, serveInMemoryRpc } from './in-memory-rpc.ts';

const address = { host: '10.0.0.2', port: 15012 };

interface World {
  readonly clock: VirtualClock;
  readonly server: SimulatedNode;
  readonly client: RpcClient;
  /** What the server's side of streams was told, in order. */
  readonly seen: string[];
  readonly peers: RpcPeer[];
  readonly serverStreams: RpcStream[];
}

async function open(seed: number): Promise<World> {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed });
  const identity = 'spiffe://cluster.local/ns/default/sa/a';
  const node = network.addNode({ name: 'a', addresses: ['10.0.0.1'], identity, certificateNotAfter: 4711 });
  const server = network.addNode({
    name: 'b',
    addresses: ['10.0.0.2'],
    identity: 'spiffe://cluster.local/ns/heddle-system/sa/control-plane',
  });
  const seen: string[] = [];
  const peers: RpcPeer[] = [];
  const serverStreams: RpcStream[] = [];
  const echo: RpcMethod = {
    kind: 'stream',
    open: (stream, peer) => {
      peers.push(peer);
      serverStreams.push(stream);
      return {
        onMessage: (message) => {
          seen.push(Buffer.from(message).toString());
          stream.send(Buffer.concat([Buffer.from('re: '), message]));
        },
        onHalfClose: () => {
          seen.push('half-close');
          stream.end({ code: RpcCode.notFound, message: 'that was all' });
        },
        onWritable: () => undefined,
        onEnd: (status) => seen.push(`end ${status.code}`),
      };
    },
  };
  const reverse: RpcMethod = {
    kind: 'unary',
    handle: (request) => Promise.resolve({ status: { code: 0, message: '' }, message: request.toReversed() }),
  };
  const never: RpcMethod = { kind: 'unary', handle: () => new Promise(() => undefined) };
  await serveInMemoryRpc(
    server,
    address,
    new Map<string, RpcMethod>([
      ['/test.Echo/Stream', echo],
      ['/test.Reverse/Call', reverse],
      ['/test.Never/Call', never],
    ]),
  );
  return { clock, server, client: createInMemoryRpcClient(node, address), seen, peers, serverStreams };
}

class Received {
  readonly messages: string[] = [];
  status: RpcStatus | null = null;
  writable = 0;

  onMessage(message: Uint8Array): void {
    this.messages.push(Buffer.from(message).toString());
  }

  onHalfClose(): void {
    assert.fail('a client is not half-closed');
  }

  onWritable(): void {
    this.writable++;
  }

  onEnd(status: RpcStatus): void {
    assert.equal(this.status, null, 'onEnd comes once');
    this.status = status;
  }
}

describe('in-memory RPC', () => {
  test('a stream carries messages whole and in order, the peer known, and ends with the status of the server', async () => {
    const { clock, client, seen, peers } = await open(1);
    const received = new Received();
    const stream = client.openStream('/test.Echo/Stream', received);
    for (const text of ['one', '', 'x'.repeat(5000)]) stream.send(Buffer.from(text));
    stream.end();
    await clock.runUntil(() => received.status !== null);
    assert.deepEqual(received.messages, ['re: one', 're: ', `re: ${'x'.repeat(5000)}`]);
    assert.deepEqual(received.status, { code: RpcCode.notFound, message: 'that was all' });
    assert.deepEqual(seen, ['one', '', 'x'.repeat(5000), 'half-close', 'end 0']);
    assert.equal(peers[0]!.identity, 'spiffe://cluster.local/ns/default/sa/a');
    assert.equal(peers[0]!.certificateNotAfter, 4711);
    assert.match(peers[0]!.remoteAddress, /^10\.0\.0\.1:\d+$/);
  });

  test('unary calls answer, know no unknown method, and time out', async () => {
    const { clock, client } = await open(2);
    const replies = Promise.all([
      client.call('/test.Reverse/Call', Uint8Array.of(1, 2, 3), 1000),
      client.call('/test.Unknown/Call', Uint8Array.of(), 1000),
      client.call('/test.Never/Call', Uint8Array.of(), 1000),
    ]);
    await clock.runUntilIdleAsync();
    const [reversed, unknown, late] = await replies;
    assert.deepEqual([...reversed.message], [3, 2, 1]);
    assert.equal(unknown.status.code, RpcCode.unimplemented);
    assert.equal(late.status.code, RpcCode.deadlineExceeded);
  });

  test('cancelling ends the stream at both ends with code 1', async () => {
    const { clock, client, seen } = await open(3);
    const received = new Received();
    const stream = client.openStream('/test.Echo/Stream', received);
    stream.send(Buffer.from('hello'));
    await clock.runUntil(() => received.messages.length === 1);
    stream.cancel();
    assert.equal(received.status, null, 'not during the call');
    await clock.runUntilIdleAsync();
    assert.equal((received.status as RpcStatus | null)?.code, RpcCode.cancelled);
    assert.deepEqual(seen, ['hello', 'end 1']);
  });

  test('a crashed server ends streams as unavailable; the next one connects anew', async () => {
    const { clock, server, client } = await open(4);
    const received = new Received();
    client.openStream('/test.Echo/Stream', received).send(Buffer.from('hello'));
    await clock.runUntil(() => received.messages.length === 1);
    server.crash();
    await clock.runUntil(() => received.status !== null);
    assert.equal(received.status!.code, RpcCode.unavailable);
    const refused = new Received();
    client.openStream('/test.Echo/Stream', refused);
    await clock.runUntil(() => refused.status !== null);
    assert.equal(refused.status!.code, RpcCode.unavailable);
  });

  test('closing the client ends its streams and calls', async () => {
    const { clock, client, seen } = await open(5);
    const received = new Received();
    client.openStream('/test.Echo/Stream', received).send(Buffer.from('hello'));
    await clock.runUntil(() => received.messages.length === 1);
    const call = client.call('/test.Never/Call', Uint8Array.of(), 1000);
    client.close();
    assert.equal((await call).status.code, RpcCode.cancelled);
    assert.equal(received.status?.code, RpcCode.cancelled);
    await clock.runUntilIdleAsync();
    assert.deepEqual(seen, ['hello', 'end 1']);
  });

  test('a reader that is slow makes send return false, and onWritable follows', async () => {
    const { clock, client } = await open(6);
    const received = new Received();
    const stream = client.openStream('/test.Echo/Stream', received);
    await clock.advanceAsync(10);
    let sent = 0;
    while (stream.send(Buffer.alloc(10_000))) sent++;
    assert.ok(sent < 10, 'the window is 64 KiB');
    await clock.runUntil(() => received.writable === 1);
    await clock.runUntil(() => received.messages.length === sent + 1);
  });
});
