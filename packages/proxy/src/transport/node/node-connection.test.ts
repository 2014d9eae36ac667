import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@heddle/base';
import { RecordingHandler } from '@heddle/testkit';
import { NodeConnection } from './node-connection.ts';

/** A socket of a server's that says nothing. */
async function connected(t: TestContext): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('the end of what was decrypted while reading was paused is told behind it', async (t) => {
  const connection = new NodeConnection(await connected(t), silentLogger);
  const handler = new RecordingHandler();
  connection.handler = handler;
  connection.establish(null, null);
  connection.pauseReading();
  connection.deliver(Buffer.from('the rest'), 8);
  connection.onEnd();
  assert.deepEqual([handler.bytes, handler.ends], [0, 0]);
  connection.resumeReading();
  await new Promise(setImmediate);
  assert.equal(handler.received.toString(), 'the rest');
  assert.equal(handler.ends, 1);
});

for (const [isEstablished, failure] of [
  [true, { kind: 'reset', detail: 'connection timed out' }],
  [false, { kind: 'connect-timeout', detail: 'connection timeout' }],
] as const) {
  test(`a connection that the network gives up was ${isEstablished ? 'reset' : 'never made'}`, async (t) => {
    const socket = await connected(t);
    const connection = new NodeConnection(socket, silentLogger);
    const handler = new RecordingHandler();
    connection.handler = handler;
    if (isEstablished) connection.establish(null, null);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy(Object.assign(new Error('gone'), { code: 'ETIMEDOUT' }));
    await closed;
    assert.deepEqual(handler.error, failure);
  });
}
