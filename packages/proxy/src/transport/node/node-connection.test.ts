import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { silentLogger } from '@heddle/base';
import { RecordingHandler } from '@heddle/testkit';
import { NodeConnection } from './node-connection.ts';

for (const [isEstablished, failure] of [
  [true, { kind: 'reset', detail: 'connection timed out' }],
  [false, { kind: 'connect-timeout', detail: 'connection timeout' }],
] as const) {
  test(`a connection that the network gives up was ${isEstablished ? 'reset' : 'never made'}`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
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
