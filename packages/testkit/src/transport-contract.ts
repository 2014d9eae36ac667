import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/base';
import { hostAndPort } from '@heddle/proxy';
import {
  type Accepted,
  type Check,
  RecordingHandler,
  TrackedTransport,
  type TransportHarness,
  connectTo,
  listenRecording,
  openPair,
  patterned,
  stream,
  writeAll,
} from './transport-contract-support.ts';
import { securedConnections } from './transport-contract-tls.ts';

/** Runs the contract of `Transport` against one implementation. */
export function transportContract(name: string, open: () => Promise<TransportHarness>): void {
  const check: Check = (title, body) => {
    test(title, async () => {
      const harness = await open();
      const client = new TrackedTransport(harness.client);
      const server = new TrackedTransport(harness.server);
      try {
        await body({ ...harness, client, server });
      } finally {
        await client.closeAll();
        await server.closeAll();
        await harness.close();
      }
    });
  };

  describe(`transport contract: ${name}`, () => {
    check('connects and carries bytes both ways in order', async (harness) => {
      const pair = await openPair(harness);
      writeAll(pair.client, Buffer.from('ping'));
      pair.client.writeHeadAndBody(' and \u0000', Buffer.from([0x41, 0xff, 0x42]), 1, 2);
      await harness.until(() => pair.serverHandler.bytes === 11);
      assert.equal(pair.serverHandler.received.toString('latin1'), 'ping and \u0000\u00ff');
      pair.server.writeLatin1('pong');
      await harness.until(() => pair.clientHandler.bytes === 4);
      assert.equal(pair.clientHandler.received.toString(), 'pong');
      assert.equal(pair.serverHandler.connects, 0, 'an accepted connection is not told that it is connected');
    });

    check('tells both ends their addresses', async (harness) => {
      const { client, server, listener } = await openPair(harness);
      assert.notEqual(hostAndPort(listener.address).port, 0, 'port 0 asks for any free port');
      assert.equal(client.remotePort, hostAndPort(listener.address).port);
      assert.equal(server.localPort, hostAndPort(listener.address).port);
      assert.equal(server.remotePort, client.localPort);
      assert.equal(server.remoteAddress, client.localAddress);
      assert.equal(client.peerIdentity, '');
      assert.equal(server.peerIdentity, '');
    });

    check('tells the outcome of connecting later, never during the call', async (harness) => {
      const listener = await listenRecording(harness, null, []);
      const handler = new RecordingHandler();
      connectTo(harness, listener.address, null, handler);
      assert.equal(handler.connects, 0);
      const refused = new RecordingHandler();
      connectTo(harness, harness.refusingAddress, null, refused);
      assert.equal(refused.closes, 0);
      await harness.until(() => handler.connects === 1 && refused.closes === 1);
    });

    check('lets the writer reuse its buffer as soon as write returns', async (harness) => {
      const pair = await openPair(harness);
      const buffer = Buffer.alloc(1000);
      const expected: Buffer[] = [];
      for (let round = 0; round < 200; round++) {
        buffer.fill(round);
        expected.push(Buffer.from(buffer));
        writeAll(pair.client, buffer);
      }
      buffer.fill(0xee);
      await harness.until(() => pair.serverHandler.bytes === 200_000);
      assert.ok(pair.serverHandler.received.equals(Buffer.concat(expected)));
    });

    check('sends a range of a buffer, not the whole', async (harness) => {
      const pair = await openPair(harness);
      const bytes = patterned(100);
      pair.client.write(bytes, 10, 20);
      pair.client.write(bytes, 20, 20);
      pair.client.write(bytes, 50, 53);
      await harness.until(() => pair.serverHandler.bytes === 13);
      await harness.settle();
      assert.ok(
        pair.serverHandler.received.equals(Buffer.concat([bytes.subarray(10, 20), bytes.subarray(50, 53)])),
      );
    });

    check('carries megabytes both ways at once, the writer holding back when told to', async (harness) => {
      const pair = await openPair(harness);
      const up = patterned(3_000_000);
      const down = Buffer.from(patterned(2_000_000).toReversed());
      stream(pair.client, pair.clientHandler, up, 50_000);
      stream(pair.server, pair.serverHandler, down, 20_000);
      await harness.until(() => pair.clientHandler.closes === 1 && pair.serverHandler.closes === 1);
      assert.ok(pair.serverHandler.received.equals(up));
      assert.ok(pair.clientHandler.received.equals(down));
      assert.deepEqual([pair.clientHandler.error, pair.serverHandler.error], [null, null]);
    });

    check(
      'makes write return false while the reader pauses, and says when there is room',
      async (harness) => {
        const pair = await openPair(harness);
        pair.server.pauseReading();
        const piece = patterned(65_536);
        let written = 0;
        let roomy = true;
        for (let tries = 0; tries < 2000 && roomy; tries++) {
          roomy = writeAll(pair.client, piece);
          written += piece.length;
          if (tries % 16 === 15) await harness.settle();
        }
        assert.equal(roomy, false, 'a reader that reads nothing holds the writer up');
        await harness.settle();
        const before = pair.clientHandler.drains;
        pair.server.resumeReading();
        await harness.until(() => pair.serverHandler.bytes === written);
        await harness.until(() => pair.clientHandler.drains > before || before > 0);
        assert.ok(pair.clientHandler.drains > 0);
      },
    );

    check('calls onData no more once paused, even from within onData', async (harness) => {
      const pair = await openPair(harness);
      pair.serverHandler.onBytes = () => pair.server.pauseReading();
      writeAll(pair.client, patterned(500_000));
      await harness.until(() => pair.serverHandler.bytes > 0);
      const first = pair.serverHandler.bytes;
      await harness.settle();
      assert.equal(pair.serverHandler.bytes, first);
      pair.serverHandler.onBytes = () => undefined;
      pair.server.resumeReading();
      await harness.until(() => pair.serverHandler.bytes === 500_000);
      assert.ok(pair.serverHandler.received.equals(patterned(500_000)));
    });

    check('half-closes: the other direction goes on', async (harness) => {
      const pair = await openPair(harness);
      writeAll(pair.client, Buffer.from('question'));
      pair.client.end();
      await harness.until(() => pair.serverHandler.ends === 1);
      assert.equal(pair.serverHandler.received.toString(), 'question');
      await harness.settle();
      assert.equal(pair.serverHandler.closes, 0);
      writeAll(pair.server, Buffer.from('answer'));
      await harness.until(() => pair.clientHandler.bytes === 6);
      assert.equal(pair.clientHandler.closes, 0);
      pair.server.end();
      await harness.until(() => pair.clientHandler.closes === 1 && pair.serverHandler.closes === 1);
      assert.deepEqual([pair.clientHandler.error, pair.serverHandler.error], [null, null]);
      assert.equal(pair.clientHandler.ends, 1);
    });

    check('sends everything before the end', async (harness) => {
      const pair = await openPair(harness);
      const bytes = patterned(700_000);
      writeAll(pair.client, bytes);
      pair.client.end();
      await harness.until(() => pair.serverHandler.ends === 1);
      assert.ok(pair.serverHandler.received.equals(bytes));
    });

    check('destroy is followed by onClose, later and once, and by nothing else', async (harness) => {
      const pair = await openPair(harness);
      writeAll(pair.server, Buffer.from('unread'));
      pair.client.destroy();
      assert.equal(pair.clientHandler.closes, 0, 'not during the call');
      pair.client.destroy();
      await harness.until(() => pair.clientHandler.closes === 1);
      await harness.until(() => pair.serverHandler.ends + pair.serverHandler.closes > 0);
      await harness.settle();
      assert.equal(pair.clientHandler.closes, 1);
    });

    check('destroy from within onData is followed by onClose only', async (harness) => {
      const pair = await openPair(harness);
      pair.serverHandler.onBytes = () => pair.server.destroy();
      writeAll(pair.client, patterned(300_000));
      await harness.until(() => pair.serverHandler.closes === 1);
      const { bytes } = pair.serverHandler;
      await harness.settle();
      assert.equal(pair.serverHandler.bytes, bytes);
    });

    check('a writer learns that its reader is gone', async (harness) => {
      const pair = await openPair(harness);
      pair.server.destroy();
      await harness.until(() => pair.serverHandler.closes === 1);
      for (let round = 0; round < 20 && pair.clientHandler.closes === 0; round++) {
        writeAll(pair.client, patterned(1000));
        await harness.settle();
      }
      assert.equal(pair.clientHandler.closes, 1);
      assert.notEqual(pair.clientHandler.error, null);
    });

    check(
      'a connection given up before it is up is closed, and its handler never connected',
      async (harness) => {
        const listener = await listenRecording(harness, null, []);
        const handler = new RecordingHandler();
        const connection = connectTo(harness, listener.address, null, handler);
        connection.destroy();
        await harness.until(() => handler.closes === 1);
        await harness.settle();
        assert.equal(handler.connects, 0);
      },
    );

    check('calls on a connection that is over do nothing', async (harness) => {
      const pair = await openPair(harness);
      pair.client.destroy();
      await harness.until(() => pair.clientHandler.closes === 1);
      writeAll(pair.client, Buffer.from('late'));
      pair.client.writeLatin1('late');
      pair.client.pauseReading();
      pair.client.resumeReading();
      pair.client.end();
      pair.client.destroy();
      await harness.settle();
      assert.equal(pair.serverHandler.bytes, 0);
    });

    check('a refused connection is told as connect-failed', async (harness) => {
      const handler = new RecordingHandler();
      connectTo(harness, harness.refusingAddress, null, handler);
      await harness.until(() => handler.closes === 1);
      assert.equal(handler.connects, 0);
      assert.equal(handler.error?.kind, 'connect-failed');
      assert.notEqual(handler.error?.detail, '');
    });

    check('an address that does not answer is told as connect-timeout', async (harness) => {
      if (harness.silentAddress === null) return;
      const handler = new RecordingHandler();
      connectTo(harness, harness.silentAddress, null, handler, 300);
      await harness.until(() => handler.closes === 1);
      assert.equal(handler.connects, 0);
      assert.equal(handler.error?.kind, 'connect-timeout');
    });

    check('refuses to listen on an address in use, naming it', async (harness) => {
      const listener = await listenRecording(harness, null, []);
      const again = harness.server.listen(
        { address: listener.address, security: null },
        () => new RecordingHandler(),
      );
      await assert.rejects(again, (error) => {
        assert.ok(error instanceof HeddleError);
        assert.match(error.message, new RegExp(`${hostAndPort(listener.address).port}`));
        return true;
      });
    });

    check(
      'a closed listener accepts nothing new; what it accepted lives on; its port is free',
      async (harness) => {
        const pair = await openPair(harness);
        await pair.listener.close();
        const refused = new RecordingHandler();
        connectTo(harness, pair.listener.address, null, refused);
        await harness.until(() => refused.closes === 1);
        assert.equal(refused.connects, 0);
        writeAll(pair.client, Buffer.from('still here'));
        await harness.until(() => pair.serverHandler.bytes === 10);
        const again = await harness.server.listen({ address: pair.listener.address, security: null }, () => {
          return new RecordingHandler();
        });
        await again.close();
      },
    );

    unixSockets(check);
    securedConnections(check);
  });
}

/** The part of the contract that is about Unix sockets. */
function unixSockets(check: Check): void {
  check('carries bytes over Unix sockets and names them', async (harness) => {
    for (const address of harness.unixAddresses ?? []) {
      const accepted: Accepted[] = [];
      const listener = await harness.server.listen({ address, security: null }, (connection) => {
        const handler = new RecordingHandler();
        accepted.push({ connection, handler });
        return handler;
      });
      assert.deepEqual(listener.address, address);
      const handler = new RecordingHandler();
      const client = harness.server.connect({ address, security: null, timeoutMs: 5000 }, handler);
      await harness.until(() => accepted.length === 1 && handler.connects === 1);
      client.writeLatin1('ping');
      const [server] = accepted;
      await harness.until(() => server!.handler.bytes === 4);
      server!.connection.writeLatin1('pong');
      await harness.until(() => handler.bytes === 4);
      assert.deepEqual([client.remoteAddress, client.remotePort], [address.path, 0]);
      assert.deepEqual([server!.connection.localAddress, server!.connection.localPort], [address.path, 0]);
      assert.deepEqual([client.localAddress, server!.connection.remoteAddress], ['', '']);
      await assert.rejects(
        harness.server.listen({ address, security: null }, () => new RecordingHandler()),
        HeddleError,
      );
      await listener.close();
      const refused = new RecordingHandler();
      harness.server.connect({ address, security: null, timeoutMs: 5000 }, refused);
      await harness.until(() => refused.closes === 1);
      assert.equal(refused.error?.kind, 'connect-failed');
    }
  });
}
