import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import { rejectionsOf } from '../nack-details.ts';
import { settle } from '../testing/test-client.ts';
import { RecordingSink, ServedRpc } from '../testing/test-server.ts';
import { TypeUrl } from '../type-url.ts';
import { DeltaClient } from './delta-client.ts';

const { virtualHost } = TypeUrl;

describe('DeltaClient: virtual hosts by themselves', () => {
  async function subscribed(sink = new RecordingSink()) {
    const rpc = new ServedRpc();
    const clock = new VirtualClock();
    const client = new DeltaClient({
      rpc, sink, clock, random: new SeededRandom(1), node: { id: 'n', cluster: 'c' }, wildcards: [],
    }); // prettier-ignore
    client.start();
    client.subscribe(virtualHost, ['r']);
    await settle();
    assert.deepEqual(rpc.stream.takeOne().resourceNamesSubscribe, ['r']);
    return { rpc, sink, clock, client };
  }

  const names = (client: DeltaClient) => (client.snapshot().get(virtualHost) ?? []).map(({ name }) => name);

  it('are taken by the route configuration that was asked for, which is complete with the first of them', async () => {
    const { rpc, client } = await subscribed();
    assert.equal(client.isSynced, false);
    rpc.stream.respond(virtualHost, '1', { 'r/a': '1', 'r/b': '1', 'other/a': '1' });
    await settle();
    assert.deepEqual(names(client), ['r/a', 'r/b']);
    assert.equal(client.isSynced, true);
  });

  it('are complete where there is none', async () => {
    const { rpc, client } = await subscribed();
    rpc.stream.respond(virtualHost, '1', {}, ['r']);
    await settle();
    assert.equal(client.isSynced, true);
  });

  it('are named with their versions on the next stream, where nothing need come', async () => {
    const { rpc, client, clock } = await subscribed();
    rpc.stream.respond(virtualHost, '1', { 'r/a': '1' });
    await settle();
    rpc.stream.handler.onEnd({ code: 14, message: 'gone' });
    clock.advance(10_000);
    await settle();
    const request = rpc.stream.takeOne();
    assert.deepEqual(
      [request.resourceNamesSubscribe, request.initialResourceVersions],
      [['r'], { 'r/a': '1' }],
    );
    rpc.stream.respond(virtualHost, '1', {});
    await settle();
    assert.equal(client.isSynced, true);
  });

  it('are forgotten with their route configuration', async () => {
    const { rpc, client } = await subscribed();
    rpc.stream.respond(virtualHost, '1', { 'r/a': '1' });
    client.unsubscribe(virtualHost, ['r']);
    await settle();
    assert.deepEqual(names(client), []);
  });

  it('that turn out not to go together at the end of a response are refused by name', async () => {
    class Strict extends RecordingSink {
      override commit(typeUrl: string): ReadonlyMap<string, string> {
        super.commit(typeUrl);
        return new Map([['r/b', 'has the domain of r/a']]);
      }
    }
    const { rpc, client } = await subscribed(new Strict());
    rpc.stream.respond(virtualHost, '1', { 'r/a': '1', 'r/b': '1' });
    await settle();
    const [nack] = rpc.stream.take();
    const reasons = rejectionsOf(nack?.errorDetail ?? assert.fail('accepted'), ['r/a', 'r/b']);
    assert.deepEqual([...reasons], [['r/b', 'has the domain of r/a']]);
    assert.deepEqual(names(client), ['r/a']);
  });
});
