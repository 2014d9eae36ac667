import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { InMemoryNetwork, SeededRandom, VirtualClock } from '@heddle/testkit';
import { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import type { Connection } from '../transport/transport.ts';
import { FieldList } from '../codec/field-list.ts';
import { responseFromText } from './message-from-text.ts';
import { ServedConnections } from '../codec/served-connections.ts';
import { http1Acceptor } from './http1-acceptor.ts';
import { defaultServerSettings } from './server-settings.ts';

const requestCount = 5000;
const answer = responseFromText('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
const body = Buffer.alloc(1000, 'x');
const answerBytes = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'.length + body.length;
const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A client that has sent all of its requests and reads no answer yet; the server answers each one at once. */
async function startDeafClient(idleTimeoutMs = 0) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 1 });
  const node = network.addNode({ name: 'node', addresses: ['10.0.0.1'] });
  const metrics = new ConnectionManagerMetrics(new MetricRegistry().scope(), 'test', null);
  const timers = new TimerWheel(clock);
  const connections = new ServedConnections({ clock, timers });
  const state = { served: 0, received: 0, isClosed: false };
  const accept = http1Acceptor(
    connections,
    {
      take: (server) => ({
        onRequestHead: () => {
          state.served++;
          server.sendHead(answer);
          server.sendBody(body, 0, body.length);
          server.endResponse();
        },
        onRequestBody: () => undefined,
        onRequestTrailers: () => undefined,
        onRequestEnd: () => undefined,
        onResponseDrain: () => undefined,
        onClientGone: () => undefined,
        ownReplyFields: () => new FieldList(),
        onRejected: () => undefined,
      }),
      giveBack: () => undefined,
    },
    { clock, random: new SeededRandom(1), timers },
    () => ({ ...defaultServerSettings, idleTimeoutMs, metrics }),
  );
  await node.listen({ address: { host: '127.0.0.1', port: 80 }, security: null }, accept);
  const client: Connection = node.connect(
    { address: { host: '127.0.0.1', port: 80 }, security: null, timeoutMs: 1000 },
    {
      onConnect: () => {
        client.pauseReading();
        client.writeLatin1(request.repeat(requestCount));
      },
      onData: (_, start, end) => {
        state.received += end - start;
      },
      onEnd: () => undefined,
      onDrain: () => undefined,
      onClose: () => {
        state.isClosed = true;
      },
    },
  );
  await clock.advanceAsync(1000);
  return { clock, client, state, connections };
}

test('takes up no further request while the client reads no answers, and all of them once it does', async () => {
  const { clock, client, state, connections } = await startDeafClient();
  assert.ok(state.served > 0 && state.served < 500, `${state.served} requests were answered into memory`);
  assert.equal(connections.busy, 1);
  client.resumeReading();
  await clock.advanceAsync(60_000);
  assert.equal(state.served, requestCount);
  assert.equal(state.received, requestCount * answerBytes);
  assert.equal(connections.busy, 0);
});

test('closes a connection whose client reads no answers when its idle timeout is over', async () => {
  const { clock, state, connections } = await startDeafClient(10_000);
  await clock.advanceAsync(20_000);
  assert.equal(connections.size, 0);
  assert.ok(state.served < 500);
});
