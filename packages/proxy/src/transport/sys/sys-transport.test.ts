import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@heddle/base';
import { RecordingHandler, eventually } from '@heddle/testkit';
import { ownSockets } from '../socket-source.ts';
import type { Connection, Listener } from '../transport.ts';
import { openListeningSocket } from './listening-socket.ts';
import { SysTransport, openEngine } from './sys-transport.ts';

const engine = openEngine();

test(
  'refuses to listen where the system can watch no more sockets',
  { skip: typeof engine === 'string' ? engine : false },
  async (t) => {
    assert.ok(typeof engine !== 'string');
    const { kernel } = engine;
    const transport = new SysTransport(engine, systemClock, silentLogger);
    // Fails as it would for another reason.
    const watch = t.mock.method(kernel, 'watch', () => kernel.read(-1, kernel.stagingAddress, 1));
    const before = readdirSync('/proc/self/fd').length;
    await assert.rejects(
      transport.listen({ address: { host: '127.0.0.1', port: 0 }, security: null }, () =>
        assert.fail('nothing has been accepted'),
      ),
      { code: 'HEDDLE_LISTEN_FAILED', message: /^can't listen on 127\.0\.0\.1:0: .*EBADF/ },
    );
    assert.equal(watch.mock.callCount(), 1);
    assert.equal(readdirSync('/proc/self/fd').length, before);
    assert.deepEqual(transport.openSockets(), []);
  },
);

test(
  'takes a connection that the network has given up for one that was reset, not for one that was never made',
  { skip: typeof engine === 'string' ? engine : false },
  async (t) => {
    assert.ok(typeof engine !== 'string');
    const { kernel } = engine;
    const transport = new SysTransport(engine, systemClock, silentLogger);
    const handler = new RecordingHandler();
    const accepted = Promise.withResolvers<Connection>();
    const address = { host: '127.0.0.1', port: 0 };
    const listener = await transport.listen({ address, security: null }, (connection) => {
      accepted.resolve(connection);
      return handler;
    });
    const client = connect((listener.address as { port: number }).port, '127.0.0.1');
    client.on('error', () => undefined);
    await accepted.promise;
    t.mock.method(kernel, 'read', () => -1);
    t.mock.getter(kernel, 'errorNumber', () => 110);
    t.mock.getter(kernel, 'errorName', () => 'ETIMEDOUT');
    client.write('x');
    await eventually('the connection is over', () => handler.closes === 1);
    t.mock.restoreAll();
    assert.deepEqual(handler.error, { kind: 'reset', detail: 'connection timed out' });
    client.destroy();
    await listener.close();
  },
);

test(
  'lets other threads listen on the port of a socket that a process of one thread has left',
  { skip: typeof engine === 'string' ? engine : false },
  async () => {
    assert.ok(typeof engine !== 'string');
    const { kernel } = engine;
    const address = { host: '127.0.0.1', port: 0 };
    const left = openListeningSocket(kernel, address, { sharesPort: false, port: null }, false);
    const { port } = kernel.localAddress(left)!;
    const listen = async (descriptors: readonly number[]): Promise<Listener> => {
      const plan = { descriptors, sharesPort: true, port, listens: true, removesFile: true };
      const sockets = { ...ownSockets, prepare: () => Promise.resolve(plan) };
      const transport = new SysTransport(engine, systemClock, silentLogger, { sockets });
      return await transport.listen({ address, security: null }, () => new RecordingHandler());
    };
    const first = await listen([left]);
    const second = await listen([]);
    assert.deepEqual(
      [first.address, second.address],
      [
        { host: '127.0.0.1', port },
        { host: '127.0.0.1', port },
      ],
    );
    await Promise.all([first.close(), second.close()]);
  },
);
