import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@heddle/base';
import { RecordingHandler, eventually } from '@heddle/testkit';
import { loadForeignFunctions } from '../../interception/foreign-functions.ts';
import type { Connection } from '../transport.ts';
import { SysTransport, openEngine } from './sys-transport.ts';

const MSG_OOB = 1;
const engine = openEngine();

test(
  'goes on behind an urgent byte, at which the kernel cuts a read short',
  { skip: typeof engine === 'string' ? engine : false },
  async () => {
    assert.ok(typeof engine !== 'string');
    // ssize_t send(int sockfd, const void *buf, size_t len, int flags)
    const { functions } = loadForeignFunctions()!.dlopen(null, {
      send: { arguments: ['i32', 'pointer', 'u64', 'i32'], return: 'i32' },
    });
    const transport = new SysTransport(engine, systemClock, silentLogger);
    const handler = new RecordingHandler();
    let accepted: Connection | null = null;
    const listener = await transport.listen(
      { address: { host: '127.0.0.1', port: 0 }, security: null },
      (connection) => {
        accepted = connection;
        connection.pauseReading();
        return handler;
      },
    );
    const sender = new RecordingHandler();
    const connection = transport.connect(
      { address: listener.address, security: null, timeoutMs: 5000 },
      sender,
    );
    await eventually('it is accepted', () => accepted !== null && sender.connects === 1);
    connection.writeLatin1('before');
    assert.equal(functions.send(connection.fileDescriptor, Buffer.from('!'), 1n, MSG_OOB), 1);
    connection.writeLatin1('behind');
    // All of it is there when the reader begins: no further event will tell of the rest.
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    accepted!.resumeReading();
    await eventually('all has come but the urgent byte', () => handler.bytes === 12);
    assert.equal(handler.received.toString(), 'beforebehind');
    connection.destroy();
    accepted!.destroy();
    await listener.close();
  },
);
