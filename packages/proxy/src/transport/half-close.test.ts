// Ends and resets at moments that are easily missed, over all engines.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { RecordingHandler, eventually } from '@heddle/testkit';
import { engines } from './engines-under-test.ts';
import type { Connection } from './transport.ts';

for (const engine of engines) {
  const { name, skip } = engine;
  test(`an end before the connection is there is told once it is: ${name}`, { skip }, async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const handler = new RecordingHandler();
    const connection = engine.open().connect({ address, security: null, timeoutMs: 5000 }, handler);
    connection.end();
    const [socket] = (await once(server, 'connection')) as [Socket];
    let hasEnded = false;
    socket.resume().once('end', () => (hasEnded = true));
    await eventually('the server has read the end', () => hasEnded);
    assert.deepEqual([handler.connects, handler.closes], [1, 0]);
    socket.end();
    await eventually('both sides are done', () => handler.closes === 1);
    server.close();
  });
}

const sys = engines.filter((engine) => engine.name === 'sys');
for (const engine of sys) {
  const { skip } = engine;
  test('a reset behind the end of what a peer sends is told at once', { skip }, async () => {
    const handler = new RecordingHandler();
    let accepted: Connection | null = null;
    const listener = await engine
      .open()
      .listen({ address: { host: '127.0.0.1', port: 0 }, security: null }, (connection) => {
        accepted = connection;
        return handler;
      });
    assert.ok('port' in listener.address);
    const client = connect({ port: listener.address.port, host: '127.0.0.1', allowHalfOpen: true });
    client.end();
    await eventually('the end is there', () => handler.ends === 1);
    client.resetAndDestroy();
    await eventually('the reset is told', () => handler.closes === 1);
    assert.equal(handler.error?.kind, 'reset');
    (accepted as Connection | null)?.destroy();
    await listener.close();
  });
}
