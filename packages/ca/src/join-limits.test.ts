import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { systemClock } from '@heddle/base';
import { joinMesh } from '@heddle/identity';
import { VirtualClock } from '@heddle/testkit';
import { type JoinStation, TemporaryDirectory, openJoinStation } from './ca-fixture.ts';

describe('the join listener, against clients that hold connections', () => {
  let temporary: TemporaryDirectory;
  let station: JoinStation;
  const sockets: Socket[] = [];

  beforeEach(() => {
    temporary = new TemporaryDirectory();
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await station.close();
    temporary.dispose();
  });

  async function open(options: Parameters<typeof openJoinStation>[1]): Promise<void> {
    station = await openJoinStation(join(temporary.path, 'ca'), options);
  }

  async function silent(): Promise<Socket> {
    const socket = connect(station.server.address.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  }

  /** One that has finished its TLS handshake and sends no request. */
  async function shaken(): Promise<TLSSocket> {
    const { bundle } = station.authority;
    const socket = connectTls({ port: station.server.address.port, host: '127.0.0.1', ca: bundle.pem });
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
  }

  async function joins(): Promise<boolean> {
    const token = await station.tokens.create(station.authority.bundle, {
      uses: null,
      ttlMs: null,
      namespace: null,
      serviceAccount: null,
    });
    const joined = await joinMesh({
      namespace: 'default',
      serviceAccount: 'reviews',
      stateDirectory: join(temporary.path, 'state'),
      joinAddress: station.address,
      joinToken: token.text(),
      clock: systemClock,
    });
    return joined.ok;
  }

  for (const limits of [
    { maxPending: 4, maxPendingPerAddress: 100 },
    { maxPending: 100, maxPendingPerAddress: 4 },
  ]) {
    test(`lets sidecars join at ${JSON.stringify(limits)} while many others are silent`, async () => {
      await open({ serverClock: new VirtualClock(), limits });
      const idle = [];
      for (let count = 0; count < 12; count++) idle.push(await silent());
      for (let count = 0; count < 12; count++) idle.push(await shaken());
      assert.ok(await joins());
      const isOpen = idle.map((socket) => !socket.destroyed && !socket.readableEnded);
      assert.ok(isOpen.filter(Boolean).length <= 8, 'the oldest have given way');
    });
  }

  test('drops the silent after 3 seconds and those without a request after 10', async () => {
    const clock = new VirtualClock();
    await open({ serverClock: clock });
    const handshaken = await shaken();
    const quiet = await silent();
    // Each has a timer for its stage and one for its whole life.
    while (clock.pendingTimers < 4) await new Promise(setImmediate);
    const isQuietClosed = new Promise((resolve) => quiet.once('close', resolve));
    await clock.advanceAsync(3000);
    await isQuietClosed;
    assert.equal(handshaken.destroyed, false);
    const isClosed = new Promise((resolve) => handshaken.resume().once('close', resolve));
    await clock.advanceAsync(7000);
    await isClosed;
    assert.equal(clock.pendingTimers, 0);
  });

  test('drops nobody whose request has come whole for somebody new', async () => {
    await open({ limits: { maxPending: 1 } });
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answer, reject: refuse } = Promise.withResolvers<never>();
    station.tokens.check = () => {
      ask();
      return answer;
    };
    const first = await shaken();
    const body = JSON.stringify({ token: 'a.b', csr: '', namespace: 'default', serviceAccount: 'reviews' });
    first.write(`POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await asked;
    await shaken();
    refuse(new Error('broken'));
    const [response] = (await once(first, 'data')) as [Buffer];
    assert.match(response.toString(), /^HTTP\/1\.1 500 /);
  });
});
