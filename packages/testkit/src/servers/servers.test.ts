import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import {
  startClosingServer,
  startEarlyServer,
  startGarbageServer,
  startResetServer,
  startScriptedServer,
  startSlowServer,
  startTruncatingServer,
} from './broken-servers.ts';
import { type EchoedRequest, startEchoServer } from './echo-server.ts';
import type { TestServer } from './test-server.ts';

/** Sends one request by hand; resolves with everything that came back and how the connection ended. */
function ask(
  server: TestServer,
  request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
): Promise<{ text: string; end: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    let text = '';
    let end = 'in order';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message));
    socket.on('close', () => resolve({ text, end }));
    socket.write(request);
  });
}

test('the echo server says what it saw', async () => {
  await using server = await startEchoServer('one');
  const url = `http://127.0.0.1:${server.port}/path?status=404&delay=1`;
  const response = await fetch(url, { method: 'POST', body: 'hello', headers: { 'x-test': 'yes' } });
  const seen = (await response.json()) as EchoedRequest;
  assert.equal(response.status, 404);
  assert.equal(seen.server, 'one');
  assert.equal(seen.method, 'POST');
  assert.equal(seen.target, '/path?status=404&delay=1');
  assert.equal(seen.headers['x-test'], 'yes');
  assert.equal(seen.body, 'hello');
  const sized = await fetch(`http://127.0.0.1:${server.port}/?size=70000`);
  assert.equal((await sized.arrayBuffer()).byteLength, 70_000);
});

test('each broken server is broken in its own way', async () => {
  await using reset = await startResetServer(1000, 10);
  assert.equal((await ask(reset)).end, 'ECONNRESET');
  await using truncating = await startTruncatingServer(1000, 10);
  const truncated = await ask(truncating);
  assert.equal(truncated.end, 'in order');
  assert.match(truncated.text, /content-length: 1000\r\n\r\nx{10}$/);
  await using early = await startEarlyServer('413 Content Too Large', true);
  const request = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n';
  assert.match((await ask(early, request)).text, /^HTTP\/1\.1 413 .*early$/s);
  await using garbage = await startGarbageServer();
  assert.equal((await ask(garbage)).text, '\u0000\u0001garbage\r\n\r\n');
  await using closing = await startClosingServer();
  assert.equal((await ask(closing)).text, '');
  await using scripted = await startScriptedServer([
    'HTTP/1.1 200 OK\r',
    '\ncontent-length: 2\r\n\r\n',
    'ok',
  ]);
  assert.match((await ask(scripted)).text, /ok$/);
});

test('the slow server is slow, and closing a server ends its connections', async () => {
  await using slow = await startSlowServer('abc', 10);
  const response = await fetch(`http://127.0.0.1:${slow.port}/`);
  const started = performance.now();
  assert.equal(await response.text(), 'abc');
  assert.ok(performance.now() - started > 15);
  const hanging = ask(slow, 'GET');
  await slow.close();
  assert.equal((await hanging).text, '');
});
