import assert from 'node:assert/strict';
import type { AcceptHandler, LinkSecurity, Listener } from '@heddle/proxy';
import {
  type Accepted,
  type Check,
  RecordingHandler,
  type TransportHarness,
  connectTo,
  listenRecording,
  patterned,
  stream,
} from './transport-contract-support.ts';

/** The part of the contract that speaks of identities. */
export function securedConnections(check: Check): void {
  check('a secured connection tells each end who the other is', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(harness, security.server(null), accepted);
    const handler = new RecordingHandler();
    const client = connectTo(harness, listener.address, security.client(null), handler);
    await harness.until(() => accepted.length === 1 && handler.connects === 1);
    const [server] = accepted;
    assert.equal(client.peerIdentity, security.serverIdentity);
    assert.equal(server!.connection.peerIdentity, security.clientIdentity);
    for (const [end, identity] of [
      [client, security.serverIdentity],
      [server!.connection, security.clientIdentity],
    ] as const) {
      assert.equal(end.tls?.version, 'TLSv1.3');
      assert.equal(end.tls.alpn, security.client(null).alpn[0] ?? '');
      assert.deepEqual(end.tls.peer?.uriSans, [identity]);
      assert.equal(end.tls.peer.fingerprint, end.peerFingerprint);
      assert.notEqual(end.peerFingerprint, '');
    }
    const bytes = patterned(400_000);
    stream(client, handler, bytes, 30_000);
    await harness.until(() => accepted[0]!.handler.ends === 1);
    assert.ok(accepted[0]!.handler.received.equals(bytes));
    accepted[0]!.connection.writeLatin1('bye');
    accepted[0]!.connection.end();
    await harness.until(() => handler.closes === 1);
    assert.equal(handler.received.toString(), 'bye');
  });

  check('calls onData of a secured connection no more once paused, on either side', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(harness, security.server(null), accepted);
    const handler = new RecordingHandler();
    const client = connectTo(harness, listener.address, security.client(null), handler);
    await harness.until(() => accepted.length === 1 && handler.connects === 1);
    const [server] = accepted;
    const bytes = patterned(500_000);
    const ways = [
      [client, handler, server!.connection, server!.handler],
      [server!.connection, server!.handler, client, handler],
    ] as const;
    for (const [writer, writing, reader, reading] of ways) {
      let isPaused = false;
      let late = 0;
      reading.onBytes = () => {
        if (isPaused) late++;
        isPaused = true;
        reader.pauseReading();
      };
      stream(writer, writing, bytes, 30_000);
      await harness.until(() => reading.bytes > 0);
      for (let round = 0; round < 3; round++) {
        await harness.settle();
        assert.equal(late, 0, 'bytes after the pause');
        const before = reading.bytes;
        isPaused = false;
        reader.resumeReading();
        await harness.until(() => reading.bytes > before);
      }
      reading.onBytes = () => undefined;
      reader.resumeReading();
      await harness.until(() => reading.ends === 1);
      assert.ok(reading.received.equals(bytes));
    }
    await harness.until(() => handler.closes === 1 && server!.handler.closes === 1);
  });

  check(
    'a client that does not accept its server never connects, and the server accepts nothing',
    async (harness) => {
      if (harness.security === null) return;
      const { security } = harness;
      const accepted: Accepted[] = [];
      const listener = await listenRecording(harness, security.server(null), accepted);
      const handler = new RecordingHandler();
      const connection = connectTo(
        harness,
        listener.address,
        security.client((id) => id !== security.serverIdentity),
        handler,
      );
      connection.writeLatin1('secret');
      await harness.until(() => handler.closes === 1);
      await harness.settle();
      assert.equal(handler.connects, 0);
      assert.equal(handler.error?.kind, 'tls-failed');
      assert.equal(
        accepted.reduce((sum, one) => sum + one.handler.bytes, 0),
        0,
      );
    },
  );

  check('a server that does not accept its client gives its owner no connection', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(
      harness,
      security.server((id) => id !== security.clientIdentity),
      accepted,
    );
    const handler = new RecordingHandler();
    const connection = connectTo(harness, listener.address, security.client(null), handler);
    connection.writeLatin1('let me in');
    await harness.until(() => handler.closes + handler.ends > 0);
    await harness.settle();
    assert.equal(accepted.length, 0);
    assert.equal(handler.bytes, 0);
  });

  check('a plain client at a secured listener reaches no owner', async (harness) => {
    if (harness.security === null) return;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(harness, harness.security.server(null), accepted);
    const handler = new RecordingHandler();
    const connection = connectTo(harness, listener.address, null, handler);
    connection.writeLatin1('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await harness.until(() => handler.closes + handler.ends > 0);
    assert.equal(accepted.length, 0);
  });

  check('secures a plain connection of which its owner has read some bytes', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const plain: RecordingHandler[] = [];
    let failures = 0;
    const onFailed = (): void => void failures++;
    const listener = await listenSecuring(harness, security.server(null), plain, accepted, onFailed);
    const handler = new RecordingHandler();
    const client = connectTo(harness, listener.address, security.client(null), handler);
    await harness.until(() => accepted.length === 1 && handler.connects === 1);
    const [server] = accepted;
    assert.equal(client.peerIdentity, security.serverIdentity);
    assert.equal(server!.connection.peerIdentity, security.clientIdentity);
    assert.equal(server!.connection.remotePort, client.localPort);
    const bytes = patterned(300_000);
    stream(client, handler, bytes, 30_000);
    await harness.until(() => server!.handler.ends === 1);
    assert.ok(server!.handler.received.equals(bytes));
    stream(server!.connection, server!.handler, bytes, 30_000);
    await harness.until(() => handler.closes === 1);
    assert.ok(handler.received.equals(bytes));
    const [first] = plain;
    assert.deepEqual([first!.ends, first!.closes], [0, 0], 'the plain owner hears no more');
    assert.equal(failures, 0);
  });

  check('does not secure a connection whose client speaks no TLS, or is refused', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const onlyOthers = security.server((id) => id !== security.clientIdentity);
    let failures = 0;
    const onFailed = (): void => void failures++;
    const listener = await listenSecuring(harness, onlyOthers, [], accepted, onFailed);
    for (const [index, clientSecurity] of [null, security.client(null)].entries()) {
      const handler = new RecordingHandler();
      const client = connectTo(harness, listener.address, clientSecurity, handler);
      client.writeLatin1('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await harness.until(() => handler.closes + handler.ends > 0);
      client.destroy();
      await harness.until(() => failures === index + 1);
      await harness.settle();
      assert.deepEqual([accepted.length, failures], [0, index + 1]);
    }
  });

  check('a connection that is destroyed before it is secured has failed', async (harness) => {
    if (harness.security === null) return;
    const security = harness.security.server(null);
    let failures = 0;
    const listener = await harness.server.listen(
      { address: harness.listenAddress, security: null },
      (connection) => {
        const owner = new RecordingHandler();
        owner.onBytes = (bytes) => {
          const none = (): never => assert.fail('it is not to be accepted');
          harness.server.secure(connection, bytes.subarray(0, 3), security, none, () => void failures++);
          connection.destroy();
        };
        return owner;
      },
    );
    const handler = new RecordingHandler();
    connectTo(harness, listener.address, harness.security.client(null), handler);
    await harness.until(() => handler.closes + handler.ends > 0 && failures > 0);
    await harness.settle();
    assert.deepEqual([handler.connects, failures], [0, 1]);
  });

  check('a TLS client whose server answers in plain text never connects', async (harness) => {
    if (harness.security === null) return;
    const listener = await harness.server.listen(
      { address: harness.listenAddress, security: null },
      (connection) => {
        const owner = new RecordingHandler();
        owner.onBytes = () => connection.writeLatin1('HTTP/1.1 400 Bad Request\r\n\r\n');
        return owner;
      },
    );
    const handler = new RecordingHandler();
    connectTo(harness, listener.address, harness.security.client(null), handler);
    await harness.until(() => handler.closes === 1);
    assert.equal(handler.connects, 0);
    assert.equal(handler.error?.kind, 'tls-failed');
  });
}

/** Listens plainly and goes on with TLS after the first bytes of each connection. */
function listenSecuring(
  harness: TransportHarness,
  security: LinkSecurity,
  plain: RecordingHandler[],
  accepted: Accepted[],
  onFailed: () => void,
): Promise<Listener> {
  const acceptSecured: AcceptHandler = (connection) => {
    const handler = new RecordingHandler();
    accepted.push({ connection, handler });
    return handler;
  };
  return harness.server.listen({ address: harness.listenAddress, security: null }, (connection) => {
    const handler = new RecordingHandler();
    plain.push(handler);
    handler.onBytes = (bytes) => {
      harness.server.secure(connection, bytes, security, acceptSecured, onFailed);
      bytes.fill(0xee);
    };
    return handler;
  });
}
