import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import { rejectionsOf } from '../nack-details.ts';
import { DeltaServer } from '../server/delta-server.ts';
import { MemorySource } from '../testing/memory-source.ts';
import { settle } from '../testing/test-client.ts';
import { DirectRpc, RecordingSink, ServedRpc } from '../testing/test-server.ts';
import { TypeUrl } from '../type-url.ts';
import { DeltaClient } from './delta-client.ts';
import type { DeltaClientOptions } from './delta-client.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';

const { cluster, clusterLoadAssignment, listener, routeConfiguration } = TypeUrl;

async function started(options: Partial<DeltaClientOptions> = {}): Promise<{
  rpc: ServedRpc;
  sink: RecordingSink;
  clock: VirtualClock;
  client: DeltaClient;
}> {
  const rpc = new ServedRpc();
  const sink = new RecordingSink();
  const clock = new VirtualClock();
  const client = new DeltaClient({
    rpc, sink, clock, random: new SeededRandom(1), node: { id: 'n', cluster: 'c' }, ...options,
  }); // prettier-ignore
  client.start();
  await settle();
  return { rpc, sink, clock, client };
}

describe('DeltaClient: subscriptions', () => {
  it('asks for all clusters and listeners first, and says once who it is', async () => {
    const { rpc } = await started();
    const requests = rpc.stream.take();
    assert.deepEqual(
      requests.map(({ typeUrl, node, resourceNamesSubscribe }) => [
        typeUrl,
        node?.id,
        resourceNamesSubscribe,
      ]),
      [
        [cluster, 'n', []],
        [listener, undefined, []],
      ],
    );
  });

  it('asks for names in one request, and for each only once', async () => {
    const { rpc, client } = await started();
    rpc.stream.take();
    client.subscribe(clusterLoadAssignment, ['a']);
    client.subscribe(clusterLoadAssignment, ['a', 'b']);
    await settle();
    assert.deepEqual(rpc.stream.takeOne().resourceNamesSubscribe, ['a', 'b']);
    client.subscribe(clusterLoadAssignment, ['b']);
    await settle();
    assert.deepEqual(rpc.stream.take(), []);
  });

  it('gives names up, and hears no more of them', async () => {
    const { rpc, client, sink } = await started();
    client.subscribe(clusterLoadAssignment, ['a', 'b']);
    await settle();
    rpc.stream.respond(clusterLoadAssignment, '1', { a: '1', b: '1' });
    rpc.stream.take();
    sink.take();
    client.unsubscribe(clusterLoadAssignment, ['a']);
    await settle();
    assert.deepEqual(rpc.stream.takeOne().resourceNamesUnsubscribe, ['a']);
    rpc.stream.respond(clusterLoadAssignment, '2', { a: '2' }, ['a']);
    assert.deepEqual(sink.take(), ['=ClusterLoadAssignment']);
    assert.deepEqual(
      client
        .snapshot()
        .get(clusterLoadAssignment)!
        .map(({ name }) => name),
      ['b'],
    );
  });

  it('asks anew for a name that is given up and wanted again in one breath', async () => {
    const { rpc, client } = await started();
    client.subscribe(clusterLoadAssignment, ['a']);
    await settle();
    rpc.stream.respond(clusterLoadAssignment, '1', { a: '1' });
    rpc.stream.take();
    client.unsubscribe(clusterLoadAssignment, ['a']);
    client.subscribe(clusterLoadAssignment, ['a']);
    await settle();
    const request = rpc.stream.takeOne();
    assert.deepEqual([request.resourceNamesSubscribe, request.resourceNamesUnsubscribe], [['a'], []]);
  });

  it('says nothing about a name that is given up before it was asked for', async () => {
    const { rpc, client } = await started();
    rpc.stream.take();
    client.subscribe(clusterLoadAssignment, ['a']);
    client.unsubscribe(clusterLoadAssignment, ['a']);
    await settle();
    assert.deepEqual(rpc.stream.take(), []);
  });

  it('asks for what the sink wants while it is being told', async () => {
    const { rpc, sink, client } = await started();
    rpc.stream.take();
    sink.onApplied = (typeUrl, name) => {
      if (typeUrl === cluster) client.subscribe(clusterLoadAssignment, [name]);
    };
    rpc.stream.respond(cluster, '1', { a: '1', b: '1' });
    await settle();
    const [ack, subscription] = rpc.stream.take();
    assert.equal(ack!.responseNonce, '1');
    assert.deepEqual(subscription!.resourceNamesSubscribe, ['a', 'b']);
  });
});

describe('DeltaClient: responses', () => {
  it('hands over resources and removals, commits, and acknowledges', async () => {
    const { rpc, sink } = await started();
    rpc.stream.take();
    rpc.stream.respond(cluster, 'n1', { a: '1', b: '2' }, ['c']);
    assert.deepEqual(sink.take(), ['+a@1', '+b@2', '-c', '=Cluster']);
    assert.equal(sink.state.get(`${cluster} a`), 'a@1');
    const ack = rpc.stream.takeOne();
    assert.deepEqual([ack.typeUrl, ack.responseNonce, ack.errorDetail], [cluster, 'n1', undefined]);
  });

  it('refuses by name what the sink does not take, and takes the rest', async () => {
    const refused: string[] = [];
    const { rpc, sink, client } = await started({
      hooks: { onRejected: (_typeUrl, name, reason) => refused.push(`${name}: ${reason}`) },
    });
    rpc.stream.take();
    rpc.stream.respond(cluster, '1', { a: '1', b: '1' });
    rpc.stream.take();
    sink.refuse = (_typeUrl, { name }) => {
      if (name === 'c') throw new Error('surprise');
      return name === 'b' ? 'lb_policy: not supported' : null;
    };
    rpc.stream.respond(cluster, '2', { a: '2', b: '2', c: '2' });
    const nack = rpc.stream.takeOne();
    assert.equal(nack.responseNonce, '2');
    assert.match(nack.errorDetail!.message, /b: lb_policy: not supported; c: Internal error: surprise/);
    assert.deepEqual(
      [...rejectionsOf(nack.errorDetail!, ['a', 'b', 'c'])],
      [
        ['b', 'lb_policy: not supported'],
        ['c', 'Internal error: surprise'],
      ],
    );
    assert.deepEqual(refused, ['b: lb_policy: not supported', 'c: Internal error: surprise']);
    const kept = client.snapshot().get(cluster)!;
    assert.deepEqual(
      kept.map(({ name, version }) => [name, version]),
      [
        ['a', '2'],
        ['b', '1'],
      ],
    );
  });

  it('refuses a name that comes twice, a resource of another type, and a type it did not ask for', async () => {
    const { rpc } = await started();
    rpc.stream.take();
    const { DeltaDiscoveryResponse } = await import('../generated/envoy/service/discovery/v3/discovery.ts');
    const resource = { name: 'a', version: '1', resource: { typeUrl: cluster, value: new Uint8Array(0) } };
    const send = (typeUrl: string, resources: readonly (typeof resource)[]): void => {
      const response = DeltaDiscoveryResponse.fromPartial({ typeUrl, nonce: 'n', resources: [...resources] });
      rpc.stream.handler.onMessage(DeltaDiscoveryResponse.encode(response).finish());
    };
    send(cluster, [resource, resource]);
    assert.match(rpc.stream.takeOne().errorDetail!.message, /a: .*twice/);
    send(listener, [resource]);
    assert.match(rpc.stream.takeOne().errorDetail!.message, /a: It is a envoy\.config\.cluster\.v3\.Cluster/);
    send('type.googleapis.com/x.Y', [resource]);
    assert.match(rpc.stream.takeOne().errorDetail!.message, /x\.Y was not asked for/);
  });

  it('hands over a large response in slices, and acknowledges when it is through', async () => {
    const { rpc, sink, clock } = await started({ sliceMs: 0 });
    rpc.stream.take();
    rpc.stream.respond(cluster, '1', { a: '1', b: '1', c: '1' });
    rpc.stream.respond(cluster, '2', { d: '1' });
    assert.deepEqual(sink.take(), ['+a@1']);
    assert.deepEqual(rpc.stream.take(), []);
    clock.advance(0);
    assert.deepEqual(sink.take(), ['+b@1', '+c@1', '=Cluster', '+d@1', '=Cluster']);
    assert.deepEqual(
      rpc.stream.take().map(({ responseNonce }) => responseNonce),
      ['1', '2'],
    );
  });

  it('drops the rest of a response when the stream ends, and asks for it again', async () => {
    const { rpc, sink, clock } = await started({ sliceMs: 0 });
    rpc.stream.respond(cluster, '1', { a: '1', b: '1' });
    rpc.stream.fail();
    clock.advance(10_000);
    await settle();
    assert.deepEqual(sink.take(), ['+a@1', '=Cluster']);
    assert.deepEqual(rpc.stream.take()[0]!.initialResourceVersions, { a: '1' });
  });

  it('takes a name for non-existent when nothing is said about it for 15 seconds', async () => {
    const { rpc, sink, clock, client } = await started();
    client.subscribe(routeConfiguration, ['r']);
    rpc.stream.respond(cluster, '1', {});
    rpc.stream.respond(listener, '1', {});
    await settle();
    sink.take();
    assert.equal(client.isSynced, false);
    clock.advance(14_999);
    assert.deepEqual(sink.take(), []);
    clock.advance(1);
    assert.deepEqual(sink.take(), ['-r', '=RouteConfiguration']);
    assert.equal(client.isSynced, true);
  });

  it('is in sync when everything asked for has been answered', async () => {
    let synced = 0;
    const { rpc, client } = await started({ hooks: { onSynced: () => synced++ } });
    rpc.stream.respond(cluster, '1', { a: '1' });
    client.subscribe(clusterLoadAssignment, ['a', 'b']);
    await settle();
    rpc.stream.respond(listener, '1', {});
    assert.equal(client.isSynced, false);
    rpc.stream.respond(clusterLoadAssignment, '1', { a: '1' });
    assert.equal(client.isSynced, false);
    rpc.stream.respond(clusterLoadAssignment, '2', {}, ['b']);
    assert.equal(client.isSynced, true);
    assert.equal(synced, 1);
  });

  it('sends nothing while the transport wants a pause', async () => {
    const { rpc } = await started();
    rpc.stream.take();
    rpc.stream.isRoomy = false;
    rpc.stream.respond(cluster, '1', {});
    rpc.stream.respond(cluster, '2', {});
    rpc.stream.respond(cluster, '3', {});
    assert.equal(rpc.stream.takeOne().responseNonce, '1');
    rpc.stream.isRoomy = true;
    rpc.stream.handler.onWritable();
    assert.deepEqual(
      rpc.stream.take().map(({ responseNonce }) => responseNonce),
      ['2', '3'],
    );
  });
});

describe('DeltaClient: connections', () => {
  it('comes back with growing, jittered delays, and says what it has', async () => {
    const ended: string[] = [];
    const { rpc, clock, client, sink } = await started({
      hooks: { onDisconnected: ({ message }) => ended.push(message) },
    });
    client.subscribe(clusterLoadAssignment, ['a']);
    await settle();
    rpc.stream.respond(cluster, '1', { a: '1' });
    rpc.stream.respond(clusterLoadAssignment, '1', { a: '7' });
    sink.take();
    const delays: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      rpc.stream.fail({ code: 14, message: 'gone' });
      const { length } = rpc.streams;
      const since = clock.monotonic();
      await clock.runUntil(() => rpc.streams.length > length);
      delays.push(clock.monotonic() - since);
    }
    for (const [attempt, delay] of delays.entries()) {
      const full = Math.min(10_000, 200 * 2 ** attempt);
      assert.ok(delay >= full / 2 && delay <= full, `attempt ${attempt}: ${delay}`);
    }
    assert.equal(ended.length, 9);
    assert.deepEqual(sink.take(), []);
    await settle();
    const requests = rpc.stream.take();
    assert.equal(requests[0]!.node!.id, 'n');
    assert.deepEqual(
      requests.map((request) => [
        request.typeUrl,
        request.resourceNamesSubscribe,
        request.initialResourceVersions,
      ]),
      [
        [cluster, [], { a: '1' }],
        [clusterLoadAssignment, ['a'], { a: '7' }],
        [listener, [], {}],
      ],
    );
  });

  it('begins with short delays again once the server has answered', async () => {
    const { rpc, clock } = await started();
    for (let attempt = 0; attempt < 6; attempt++) {
      rpc.stream.fail();
      clock.advance(10_000);
    }
    rpc.stream.respond(cluster, '1', {});
    const { length } = rpc.streams;
    rpc.stream.fail();
    clock.advance(200);
    assert.equal(rpc.streams.length, length + 1);
  });

  it('gives up a stream on which something is no response', async () => {
    const { rpc } = await started();
    rpc.stream.handler.onMessage(Uint8Array.of(0xff));
    assert.equal(rpc.stream.isCancelled, true);
  });

  it('hears nothing of a stream that is over', async () => {
    const { rpc, clock, sink } = await started();
    const old = rpc.stream;
    old.fail();
    clock.advance(1000);
    old.respond(cluster, '1', { a: '1' });
    old.fail();
    clock.advance(60_000);
    assert.deepEqual(sink.take(), []);
    assert.equal(rpc.streams.length, 2);
  });

  it('leaves nothing behind when it is closed, even from within the sink', async () => {
    const { rpc, clock, client, sink } = await started({ sliceMs: 0 });
    client.subscribe(clusterLoadAssignment, ['a']);
    await settle();
    sink.onApplied = () => client.close();
    rpc.stream.respond(cluster, '1', { a: '1', b: '1' });
    assert.deepEqual(
      sink.take().filter((line) => line.startsWith('+')),
      ['+a@1'],
    );
    assert.equal(rpc.stream.isCancelled, true);
    assert.equal(clock.pendingTimers, 0);
    client.close();
    client.start();
    assert.equal(rpc.streams.length, 1);
  });
});

describe('DeltaClient: snapshot', () => {
  it('starts from what it kept, and tells the server the versions', async () => {
    const first = await started();
    first.sink.onApplied = (typeUrl, name) => {
      if (typeUrl === cluster) first.client.subscribe(clusterLoadAssignment, [name]);
    };
    first.rpc.stream.respond(cluster, '1', { a: '1', b: '1' });
    first.rpc.stream.respond(clusterLoadAssignment, '1', { a: '5' });
    const file = encodeSnapshot(first.client.snapshot());

    const rpc = new ServedRpc();
    const sink = new RecordingSink();
    const client = new DeltaClient({
      rpc, sink, clock: new VirtualClock(), random: new SeededRandom(1), node: { id: 'n' },
    }); // prettier-ignore
    sink.onApplied = (typeUrl, name) => {
      if (typeUrl === cluster) client.subscribe(clusterLoadAssignment, [name]);
    };
    sink.refuse = (_typeUrl, { name }) => (name === 'b' ? 'no longer' : null);
    const snapshot = decodeSnapshot(file);
    assert.ok(snapshot.ok);
    assert.equal(client.restore(snapshot.value), 2);
    assert.equal(sink.state.get(`${clusterLoadAssignment} a`), 'a@5');
    assert.equal(client.isSynced, false);
    client.start();
    await settle();
    assert.deepEqual(
      rpc.stream.take().map(({ initialResourceVersions }) => initialResourceVersions),
      [{ a: '1' }, { a: '5' }, {}],
    );
    rpc.stream.respond(cluster, '1', {});
    rpc.stream.respond(listener, '1', {});
    // What was kept and did not change is not answered.
    assert.equal(client.isSynced, true);
  });

  it('is refused when it was cut off, garbled, or is something else', () => {
    const resources = [{ name: 'a', version: '1', bytes: Uint8Array.of(1, 2, 3) }];
    const file = encodeSnapshot(new Map([[cluster, resources]]));
    assert.deepEqual(decodeSnapshot(file), { ok: true, value: new Map([[cluster, resources]]) });
    for (let length = 0; length < file.length; length++) {
      assert.equal(decodeSnapshot(file.subarray(0, length)).ok, false, `${length} bytes`);
    }
    assert.equal(decodeSnapshot(Buffer.concat([file, Buffer.of(0)])).ok, false);
    assert.equal(decodeSnapshot(Buffer.from('{"json": true}')).ok, false);
  });
});

describe('DeltaClient and DeltaServer', () => {
  it('agree after any series of changes, losses and reconnections', async () => {
    const random = new SeededRandom(7);
    const clock = new VirtualClock();
    const source = new MemorySource();
    const server = new DeltaServer({ source, clock });
    const rpc = new DirectRpc(server.method);
    const sink = new RecordingSink();
    const client = new DeltaClient({ rpc, sink, clock, random, node: { id: 'n' } });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    sink.onApplied = (typeUrl, name) => {
      if (typeUrl === cluster) client.subscribe(clusterLoadAssignment, [name]);
      if (typeUrl === listener) client.subscribe(routeConfiguration, [name]);
    };
    const remove = sink.remove.bind(sink);
    sink.remove = (typeUrl, name) => {
      remove(typeUrl, name);
      if (typeUrl === cluster) client.unsubscribe(clusterLoadAssignment, [name]);
      if (typeUrl === listener) client.unsubscribe(routeConfiguration, [name]);
      if (typeUrl === cluster) remove(clusterLoadAssignment, name);
      if (typeUrl === listener) remove(routeConfiguration, name);
    };
    const expected = new Map<string, string>();
    client.start();
    for (let round = 1; round <= 300; round++) {
      const name = names[random.uint32() % names.length]!;
      const [parent, child] =
        random.float() < 0.5 ? [cluster, clusterLoadAssignment] : [listener, routeConfiguration];
      const action = random.float();
      if (action < 0.2) {
        for (const typeUrl of [parent, child]) {
          source.remove(typeUrl, name);
          expected.delete(`${typeUrl} ${name}`);
        }
      } else {
        for (const typeUrl of action < 0.6 && expected.has(`${parent} ${name}`) ? [child] : [parent, child]) {
          const text = `${name} in round ${round}`;
          source.set(typeUrl, name, String(round), Buffer.from(text));
          expected.set(`${typeUrl} ${name}`, text);
        }
      }
      source.tell();
      if (random.float() < 0.1) rpc.isReachable = !rpc.isReachable;
      if (random.float() < 0.1) rpc.lose();
      if (random.float() < 0.3) await clock.advanceAsync(random.float() * 3000);
    }
    rpc.isReachable = true;
    await clock.advanceAsync(60_000);
    assert.deepEqual(sink.state, expected);
    assert.equal(client.isSynced, true);
    assert.deepEqual(
      [...server.status()[0]!.types.values()].map(({ synced }) => synced),
      [true, true, true, true],
    );
    client.close();
    server.close();
    assert.equal(clock.pendingTimers, 0);
  });
});
