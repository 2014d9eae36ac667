import assert from 'node:assert/strict';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import { GrpcClient } from '@heddle/proxy/grpc-client';
import { openTransport } from '@heddle/proxy/open-transport';
import { temporaryDirectory } from '@heddle/testkit';
import { RpcCode, type RpcMethods } from '@heddle/xds';
import { LocalServer } from './local-server.ts';

const peer = {
  identity: 'spiffe://cluster.local/ns/default/sa/a',
  remoteAddress: '',
  certificateNotAfter: 0,
};
const methods: RpcMethods = new Map([
  [
    '/test/WhoAmI',
    {
      kind: 'unary',
      handle: (_request, { identity }) =>
        Promise.resolve({ status: { code: RpcCode.ok, message: '' }, message: Buffer.from(identity) }),
    },
  ],
]);

test('whoever may open the socket is the workload, however long the way to it is', async (context) => {
  await using directory = await temporaryDirectory('heddle-local-server');
  const deep = join(directory.path, 'x'.repeat(100));
  await mkdir(deep);
  for (const stateDirectory of [directory.path, deep]) {
    // What an agent that was killed has left.
    await writeFile(join(stateDirectory, 'xds.sock'), '');
    const server = await LocalServer.start({ stateDirectory, methods, peer, clock: systemClock });
    context.after(() => server.close());
    assert.equal((await stat(server.path)).mode & 0o777, 0o600);
    const client = new GrpcClient({
      transport: openTransport(systemClock, silentLogger),
      address: { path: server.path },
      security: null,
      clock: systemClock,
      random: systemRandom,
    });
    const { message, status } = await client.call('/test/WhoAmI', Buffer.alloc(0), 5000);
    assert.deepEqual(status, { code: RpcCode.ok, message: '' });
    assert.equal(Buffer.from(message).toString(), peer.identity);
    client.close();
    await server.close();
    await assert.rejects(stat(server.path));
    assert.equal(dirname(server.path) === stateDirectory, stateDirectory !== deep);
    await stat(stateDirectory);
  }
});
