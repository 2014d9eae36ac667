import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RecordingHandler, type TransportHarness } from '../transport-contract-support.ts';
import { transportContract } from '../transport-contract.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { InMemoryNetwork } from './in-memory-network.ts';
import { simulatedSecurity } from './in-memory-rpc.ts';

const clientIdentity = 'spiffe://cluster.local/ns/default/sa/client';
const serverIdentity = 'spiffe://cluster.local/ns/default/sa/server';

function openHarness(seed: number): Promise<TransportHarness> {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed });
  const client = network.addNode({ name: 'client', addresses: ['10.0.0.1'], identity: clientIdentity });
  const server = network.addNode({
    name: 'server',
    addresses: ['10.0.0.2'],
    hostNames: ['server.example'],
    identity: serverIdentity,
  });
  return Promise.resolve({
    client,
    server,
    listenAddress: { host: '10.0.0.2', port: 0 },
    refusingAddress: { host: 'server.example', port: 1 },
    silentAddress: { host: '10.9.9.9', port: 80 },
    unixAddresses: [{ path: '/run/server.sock' }, { path: '\0server' }],
    security: { clientIdentity, serverIdentity, client: simulatedSecurity, server: simulatedSecurity },
    until: (condition) => clock.runUntil(condition),
    settle: () => clock.advanceAsync(100),
    close: () => Promise.resolve(),
  });
}

for (const seed of [1, 2, 3]) transportContract(`in memory, seed ${seed}`, () => openHarness(seed));

/** Runs a small conversation and writes down when which bytes came in which pieces. */
async function conversation(seed: number): Promise<string> {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed });
  const a = network.addNode({ name: 'a', addresses: ['10.0.0.1'] });
  const b = network.addNode({ name: 'b', addresses: ['10.0.0.2'] });
  const lines: string[] = [];
  await b.listen({ address: { host: '0.0.0.0', port: 80 }, security: null }, (connection) => {
    const handler = new RecordingHandler();
    handler.onBytes = (chunk) => {
      lines.push(`${clock.monotonic()} ${chunk.length}`);
      connection.write(chunk, 0, chunk.length);
    };
    handler.onPeerEnd = () => connection.end();
    return handler;
  });
  const handler = new RecordingHandler();
  const connection = a.connect(
    { address: { host: '10.0.0.2', port: 80 }, security: null, timeoutMs: 100 },
    handler,
  );
  for (let index = 0; index < 20; index++) connection.writeLatin1('x'.repeat(100 * index + 1));
  connection.end();
  await clock.runUntil(() => handler.closes === 1);
  assert.equal(handler.bytes, 19_020);
  return lines.join('\n');
}

describe('in-memory network', () => {
  test('the same seed gives the same run, another seed another one', async () => {
    const first = await conversation(11);
    assert.equal(await conversation(11), first);
    assert.notEqual(await conversation(12), first);
    const writeEnds = new Set(Array.from({ length: 21 }, (_, count) => 50 * count * (count - 1) + count));
    let position = 0;
    const cuts = first.split('\n').filter((line) => {
      position += Number(line.split(' ')[1]);
      return !writeEnds.has(position);
    });
    assert.ok(cuts.length > 3, 'reads are cut within what was written at once');
  });

  test('bytes are overwritten once onData returns: who keeps a reference reads rubbish', async () => {
    const harness = await openHarness(4);
    const { client, server } = harness;
    let kept: Buffer = Buffer.alloc(0);
    const inServer = new RecordingHandler();
    const listener = await server.listen({ address: { host: '10.0.0.2', port: 0 }, security: null }, () => ({
      onConnect: () => undefined,
      onData: (buffer, start, end) => {
        kept = buffer.subarray(start, end);
        inServer.onData(buffer, start, end);
      },
      onEnd: () => inServer.onEnd(),
      onDrain: () => inServer.onDrain(),
      onClose: (error) => inServer.onClose(error),
    }));
    const inClient = new RecordingHandler();
    client
      .connect({ address: listener.address, security: null, timeoutMs: 100 }, inClient)
      .writeLatin1('abc');
    await harness.until(() => inServer.bytes === 3);
    assert.equal(inServer.received.toString(), 'abc');
    assert.ok(!kept.toString('latin1').includes('c'));
  });

  test('a crash takes listeners, connections and timers, and tells only the others', async () => {
    const clock = new VirtualClock();
    const network = new InMemoryNetwork({ clock, seed: 5 });
    const a = network.addNode({ name: 'a', addresses: ['10.0.0.1'] });
    const b = network.addNode({ name: 'b', addresses: ['10.0.0.2'] });
    const inB = new RecordingHandler();
    await b.listen({ address: { host: '10.0.0.2', port: 80 }, security: null }, () => inB);
    const inA = new RecordingHandler();
    const address = { host: '10.0.0.2', port: 80 };
    a.connect({ address, security: null, timeoutMs: 100 }, inA);
    await clock.runUntil(() => inA.connects === 1);
    let ticks = 0;
    b.clock.setTimer(10, () => ticks++);
    b.crash();
    await clock.runUntil(() => inA.closes + inA.ends === 1);
    await clock.advanceAsync(100);
    assert.equal(inB.closes, 0);
    assert.equal(ticks, 0);
    const refused = new RecordingHandler();
    a.connect({ address, security: null, timeoutMs: 100 }, refused);
    await clock.runUntil(() => refused.closes === 1);
    assert.equal(refused.error?.kind, 'connect-failed');

    const again = network.addNode({ name: 'b', addresses: ['10.0.0.2'] });
    await again.listen({ address, security: null }, () => new RecordingHandler());
    const connected = new RecordingHandler();
    a.connect({ address, security: null, timeoutMs: 100 }, connected);
    await clock.runUntil(() => connected.connects === 1);
  });

  test('a server that crashes in the middle of a handshake resets it', async () => {
    for (let crashAfterMs = 0.1; crashAfterMs < 3; crashAfterMs += 0.1) {
      const clock = new VirtualClock();
      const network = new InMemoryNetwork({ clock, seed: 1 });
      const client = network.addNode({ name: 'a', addresses: ['10.0.0.1'], identity: clientIdentity });
      const server = network.addNode({ name: 'b', addresses: ['10.0.0.2'], identity: serverIdentity });
      const address = { host: '10.0.0.2', port: 80 };
      await server.listen({ address, security: simulatedSecurity() }, () => new RecordingHandler());
      const handler = new RecordingHandler();
      client.connect({ address, security: simulatedSecurity(), timeoutMs: 1000 }, handler);
      clock.advance(crashAfterMs);
      server.crash();
      clock.advance(100);
      // The server's end may also be a plain one, where the handshake was through.
      const isOver = handler.closes + handler.ends;
      assert.ok(isOver > 0, `nothing is heard of a crash after ${crashAfterMs} ms`);
    }
  });

  test('a partition holds bytes back and times connecting out; its end lets them through in order', async () => {
    const clock = new VirtualClock();
    const network = new InMemoryNetwork({ clock, seed: 6 });
    const a = network.addNode({ name: 'a', addresses: ['10.0.0.1'] });
    const b = network.addNode({ name: 'b', addresses: ['10.0.0.2'] });
    const inB = new RecordingHandler();
    const address = { host: '10.0.0.2', port: 80 };
    await b.listen({ address, security: null }, () => inB);
    const inA = new RecordingHandler();
    const connection = a.connect({ address, security: null, timeoutMs: 100 }, inA);
    await clock.runUntil(() => inA.connects === 1);
    network.block('a', 'b');
    connection.writeLatin1('one ');
    connection.writeLatin1('two ');
    const late = new RecordingHandler();
    a.connect({ address, security: null, timeoutMs: 100 }, late);
    await clock.advanceAsync(5000);
    assert.equal(inB.bytes, 0);
    assert.equal(late.error?.kind, 'connect-timeout');
    network.unblock('a', 'b');
    connection.writeLatin1('three');
    await clock.runUntil(() => inB.bytes === 13);
    assert.equal(inB.received.toString(), 'one two three');
  });

  test('loopback is a node of its own, and names resolve to the node that has them', async () => {
    const clock = new VirtualClock();
    const network = new InMemoryNetwork({ clock, seed: 7 });
    const a = network.addNode({ name: 'a', addresses: ['10.0.0.1'] });
    const b = network.addNode({ name: 'b', addresses: ['10.0.0.2'], hostNames: ['b.example'] });
    const outcomes: string[] = [];
    const listen = async (host: string): Promise<void> => {
      await b.listen(
        { address: { host, port: host === '127.0.0.1' ? 81 : 80 }, security: null },
        (connection) => {
          outcomes.push(`${host} from ${connection.remoteAddress} at ${connection.localAddress}`);
          return new RecordingHandler();
        },
      );
    };
    await listen('127.0.0.1');
    await listen('0.0.0.0');
    const tryTo = async (from: typeof a, host: string, port: number): Promise<void> => {
      const handler = new RecordingHandler();
      from.connect({ address: { host, port }, security: null, timeoutMs: 100 }, handler);
      await clock.runUntil(() => handler.connects + handler.closes > 0);
      if (handler.closes > 0) outcomes.push(`${host}:${port} ${handler.error!.kind}`);
    };
    await tryTo(b, 'localhost', 81);
    await tryTo(a, 'b.example', 80);
    await tryTo(a, '10.0.0.2', 81);
    await tryTo(a, '127.0.0.1', 80);
    await tryTo(a, 'nobody.example', 80);
    assert.deepEqual(outcomes, [
      '127.0.0.1 from 127.0.0.1 at 127.0.0.1',
      '0.0.0.0 from 10.0.0.1 at 10.0.0.2',
      '10.0.0.2:81 connect-failed',
      '127.0.0.1:80 connect-failed',
      'nobody.example:80 connect-failed',
    ]);
  });

  test('a peer of another trust domain, or with no identity at all, is refused', async () => {
    const clock = new VirtualClock();
    const network = new InMemoryNetwork({ clock, seed: 8 });
    const server = network.addNode({ name: 'server', addresses: ['10.0.0.2'], identity: serverIdentity });
    let accepted = 0;
    await server.listen({ address: { host: '10.0.0.2', port: 80 }, security: simulatedSecurity() }, () => {
      accepted++;
      return new RecordingHandler();
    });
    const strangers = [
      { name: 'foreign', addresses: ['10.0.0.3'], identity: 'spiffe://other.example/ns/default/sa/client' },
      { name: 'nobody', addresses: ['10.0.0.4'] },
    ];
    for (const options of strangers) {
      const handler = new RecordingHandler();
      network
        .addNode(options)
        .connect(
          { address: { host: '10.0.0.2', port: 80 }, security: simulatedSecurity(), timeoutMs: 100 },
          handler,
        );
      await clock.runUntil(() => handler.closes === 1);
    }
    assert.equal(accepted, 0);
  });
});
