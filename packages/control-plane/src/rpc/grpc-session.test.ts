import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import type { RpcPeer } from '@heddle/xds';
import { serveConnection } from './grpc-session.ts';

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const goodbye = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const peer: RpcPeer = {
  identity: 'spiffe://cluster.local/ns/default/sa/a',
  remoteAddress: '127.0.0.1:1',
  certificateNotAfter: 0,
};

/** Both ends of a connection; the client's stays open when the server has said its last. */
async function connection(): Promise<{ readonly client: Socket; readonly served: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const accepted = once(server, 'connection');
  const client = connect({ port: bound.port, host: '127.0.0.1', allowHalfOpen: true });
  const [served] = (await accepted) as [Socket];
  server.close();
  return { client: client.resume().on('error', () => {}), served };
}

describe('a connection of gRPC', () => {
  for (const how of ['the next look at it', 'its end']) {
    it(`is closed by ${how} where the peer says goodbye and holds it`, async () => {
      const clock = new VirtualClock();
      const { client, served } = await connection();
      const options = { methods: new Map(), clock, keepaliveMs: 15_000, keepaliveTimeoutMs: 5000 };
      const end = serveConnection(served, peer, options);
      client.write(Buffer.concat([preface, goodbye]));
      // What the server had to say, goodbye included, has been said.
      await once(client, 'end');
      assert.equal(served.destroyed, false);
      const closed = once(served, 'close');
      if (how === 'its end') end();
      else clock.advance(15_000);
      await closed;
      client.destroy();
    });
  }
});
