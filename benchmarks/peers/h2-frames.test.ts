import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import { type AddressInfo, type Server, createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import { askOverHttp2 } from './h2-frames.ts';

async function portOf(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

test('a strict server answers a plain request, and refuses a field that only HTTP/1.1 has', async () => {
  const server = createServer((_request, response) => response.end('x'));
  const port = await portOf(server);
  assert.equal(await askOverHttp2(port), 'ok');
  assert.equal(await askOverHttp2(port, [['transfer-encoding', 'chunked']]), 'refused');
  server.close();
});

test('a server that takes everything is seen through', async () => {
  const head = Buffer.from([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88]);
  const server = createTcpServer((socket) => void socket.once('data', () => socket.end(head)));
  const port = await portOf(server);
  assert.equal(await askOverHttp2(port, [['transfer-encoding', 'chunked']]), 'ok');
  server.close();
});

test('other statuses and the end of the connection are no success', async () => {
  const answers = [Buffer.from([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x8c]), Buffer.alloc(0)];
  const server = createTcpServer((socket) => void socket.once('data', () => socket.end(answers.shift()!)));
  const port = await portOf(server);
  assert.equal(await askOverHttp2(port), 'refused');
  assert.equal(await askOverHttp2(port), 'refused');
  server.close();
});
