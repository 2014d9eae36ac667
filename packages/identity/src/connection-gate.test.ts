import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { ConnectionGate, type ConnectionGateOptions } from './connection-gate.ts';

describe('a connection gate', () => {
  let clock: VirtualClock;
  let server: Server;
  const clients: Socket[] = [];

  beforeEach(async () => {
    clock = new VirtualClock();
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    server.close();
    await once(server, 'close');
  });

  function gateOf(options: Partial<ConnectionGateOptions>): ConnectionGate {
    return new ConnectionGate({ clock, limitMs: 1000, maxPending: 2, ...options });
  }

  /** The server's end of a new connection. */
  async function accepted(localAddress = '127.0.0.1'): Promise<Socket> {
    const { port } = server.address() as AddressInfo;
    const client = connect({ port, host: '127.0.0.1', localAddress });
    client.on('error', () => undefined);
    clients.push(client);
    const [socket] = (await once(server, 'connection')) as [Socket];
    return socket;
  }

  test('drops what has been pending for too long, and nothing that has been released', async () => {
    const gate = gateOf({});
    const [slow, quick] = [await accepted(), await accepted()];
    gate.admit(slow);
    gate.admit(quick);
    gate.release(quick);
    clock.advance(999);
    assert.equal(slow.destroyed, false);
    clock.advance(1);
    assert.deepEqual([slow.destroyed, quick.destroyed, gate.size], [true, false, 0]);
  });

  test('makes room for a new connection at the cost of the oldest that is pending', async () => {
    const gate = gateOf({});
    const sockets = [await accepted(), await accepted(), await accepted(), await accepted()];
    gate.admit(sockets[0]!);
    gate.release(sockets[0]!);
    for (const socket of sockets.slice(1)) gate.admit(socket);
    assert.deepEqual(
      sockets.map((socket) => socket.destroyed),
      [false, true, false, false],
    );
  });

  test(
    "makes one address's surplus cost no other its place",
    { skip: process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8 on its loopback interface' },
    async () => {
      const gate = gateOf({ maxPending: 10, maxPendingPerAddress: 2 });
      const other = await accepted('127.0.0.2');
      const sockets = [other, await accepted(), await accepted(), await accepted()];
      for (const socket of sockets) gate.admit(socket);
      assert.deepEqual(
        sockets.map((socket) => socket.destroyed),
        [false, true, false, false],
      );
    },
  );

  test('forgets connections that end by themselves', async () => {
    const gate = gateOf({});
    const socket = await accepted();
    gate.admit(socket);
    socket.destroy();
    await once(socket, 'close');
    assert.deepEqual([gate.size, clock.pendingTimers], [0, 0]);
  });

  test('drops all that are pending when it closes', async () => {
    const gate = gateOf({});
    const socket = await accepted();
    gate.admit(socket);
    gate.close();
    assert.deepEqual([socket.destroyed, gate.size, clock.pendingTimers], [true, 0, 0]);
  });
});
