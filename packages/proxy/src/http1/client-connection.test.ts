import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../transport/transport.ts';
import { ResponseKind, type UpstreamExchange } from '../codec/client-stream.ts';
import { ClientConnection, defaultClientSettings } from './client-connection.ts';
import { requestFromText } from './message-from-text.ts';

/** A byte stream that only remembers whether it is being read. */
class IdleStream implements Connection {
  isReading = true;
  readonly peerIdentity = '';
  readonly peerFingerprint = '';
  readonly tls = null;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 2;
  readonly originalDestination = null;
  readonly directRemoteAddress = '';
  readonly directRemotePort = 0;
  overrideAddresses(): void {}
  setHandler(): void {}
  readonly fileDescriptor = -1;
  upstreamSource = null;
  inspectedServerName = '';
  write = (): boolean => true;
  writeLatin1 = (): boolean => true;
  writeHeadAndBody = (): boolean => true;
  end = (): void => undefined;
  reset = (): void => undefined;
  destroy = (): void => undefined;
  pauseReading = (): void => {
    this.isReading = false;
  };
  resumeReading = (): void => {
    this.isReading = true;
  };
}

const ignore: UpstreamExchange = {
  onResponseHead: () => undefined,
  onInterimResponse: () => undefined,
  onUpgraded: () => undefined,
  onResponseTrailers: () => undefined,
  onResponseBody: () => undefined,
  onResponseEnd: () => undefined,
  onResponsePause: () => undefined,
  onRequestDrain: () => undefined,
  onUpstreamFailed: () => assert.fail('the response is complete'),
};

test('a connection that was paused by the last bytes of a response reads again when it is reusable', () => {
  const stream = new IdleStream();
  let readsWhenReusable = false;
  const connection = new ClientConnection(
    {
      onConnected: () => undefined,
      onExchangeEnded: () => undefined,
      onAvailable: () => {
        readsWhenReusable = stream.isReading;
      },
      onGone: () => undefined,
    },
    defaultClientSettings,
    { bytesSent: { value: 0 }, bytesReceived: { value: 0 } },
  );
  connection.attach(stream);
  connection.onConnect();
  // The client takes no more at the moment, and the response's last byte has come.
  const exchange = { ...ignore, onResponseBody: () => connection.pauseResponse() };
  connection.openStream();
  connection.sendHead(exchange, requestFromText('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), ResponseKind.usual);
  connection.endRequest();
  const response = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  connection.onData(response, 0, response.length);
  assert.equal(readsWhenReusable, true);
});
