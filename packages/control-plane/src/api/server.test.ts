import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { silentLogger, systemClock } from '@heddle/base';
import { MemoryCredentialStore } from '../store/credential-store.ts';
import type { ApiOptions } from './app.ts';
import { Authenticator } from './authenticator.ts';
import type { ApiBackend } from './backend.ts';
import { startApiServer } from './server.ts';

function options(): ApiOptions {
  const unused: Partial<ApiBackend> = {
    metrics: () => 'pilot_services 0\n',
    latestTraffic: () => ({ timeMs: 1, services: [] }),
  };
  return {
    backend: unused as ApiBackend,
    authenticator: new Authenticator(new MemoryCredentialStore(), systemClock),
    clock: systemClock,
    logger: silentLogger,
  };
}

async function get(address: string, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const [host, port] = address.split(':');
  const request = httpRequest({ host, port: Number(port), path, headers, agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function socketTo(address: string): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

/** Resolves when a socket is gone, by whatever error. */
function closeOf(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

describe('the API server', () => {
  it('refuses to listen where other machines could reach it', async () => {
    for (const address of ['0.0.0.0', '::', '10.1.2.3'])
      await assert.rejects(startApiServer({ ...options(), address, port: 0 }), {
        code: 'HEDDLE_API_NOT_LOOPBACK',
      });
  });

  it('names the port that is in use and what to do', async () => {
    const first = await startApiServer({ ...options(), address: '127.0.0.1', port: 0 });
    const port = Number(first.address.split(':')[1]);
    await assert.rejects(startApiServer({ ...options(), address: '127.0.0.1', port }), {
      code: 'HEDDLE_PORT_IN_USE',
      message: new RegExp(`127\\.0\\.0\\.1:${port}.*choose another port`),
    });
    await first.close();
  });

  it('refuses a foreign Host on a real socket', async () => {
    const server = await startApiServer({ ...options(), address: '127.0.0.1', port: 0 });
    const foreign = await get(server.address, '/healthz', { host: 'evil.example' });
    assert.equal(foreign.statusCode, 403);
    foreign.resume();
    const own = await get(server.address, '/healthz', {});
    assert.equal(own.statusCode, 200);
    own.resume();
    await server.close();
  });

  it('closes under an open event stream', async () => {
    const given = options();
    const token = given.authenticator.createToken({ kind: 'api', role: 'admin' });
    const server = await startApiServer({ ...given, address: '127.0.0.1', port: 0 });
    const stream = await get(server.address, '/api/v1/traffic/stream', { authorization: `Bearer ${token}` });
    const [data] = (await once(stream.setEncoding('utf8'), 'data')) as [string];
    assert.match(data, /^event: traffic/);
    stream.on('error', () => {});
    const closed = new Promise((resolve) => stream.on('close', resolve));
    await server.close();
    await closed;
  });

  it('drops the silent and the slow, and lets event streams live on', async () => {
    const given = options();
    const token = given.authenticator.createToken({ kind: 'api', role: 'admin' });
    const limits = { headersTimeoutMs: 50, requestTimeoutMs: 100, checkIntervalMs: 10 };
    const server = await startApiServer({ ...given, address: '127.0.0.1', port: 0, limits });
    const stream = await get(server.address, '/api/v1/traffic/stream', { authorization: `Bearer ${token}` });
    await once(stream, 'data');
    const [silent, slow] = [await socketTo(server.address), await socketTo(server.address)];
    slow.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await once(slow, 'data');
    slow.write('GET /healthz HTTP/1.1\r\nx: ');
    await Promise.all([closeOf(silent), closeOf(slow)]);
    // The next event comes after all of the limits.
    await once(stream, 'data');
    stream.on('error', () => {});
    await server.close();
  });

  it('answers while connections without a request hold all places: the oldest give way', async () => {
    const limits = { maxPending: 4, maxConnections: 6 };
    const server = await startApiServer({ ...options(), address: '127.0.0.1', port: 0, limits });
    const silent: Socket[] = [];
    for (let count = 0; count < 12; count++) silent.push(await socketTo(server.address));
    const response = await get(server.address, '/healthz', {});
    assert.equal(response.statusCode, 200);
    response.resume();
    await server.close();
  });
});
