import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultHttp2Options } from '../http2/http2-options.ts';
import { simulatedTls } from './pool-under-test.ts';
import { PeerMemory, securityFor } from './upstream-protocol.ts';

test('connections offer by ALPN what they are to speak, unless the TLS context says otherwise', () => {
  const silent = simulatedTls([]);
  assert.deepEqual(securityFor(silent, 'http1')?.alpn, ['http/1.1']);
  assert.deepEqual(securityFor(silent, 'http2')?.alpn, ['h2']);
  assert.deepEqual(securityFor(silent, 'auto')?.alpn, ['h2', 'http/1.1']);
  assert.equal(securityFor(silent, 'auto'), securityFor(silent, 'auto'));
  const outspoken = simulatedTls(['istio']);
  assert.equal(securityFor(outspoken, 'http2'), outspoken);
  assert.equal(securityFor(null, 'http2'), null);
});

test('a peer is expected to take as many streams as it said last, within our own limits', () => {
  const options = { ...defaultHttp2Options, maxConcurrentStreams: 500 };
  const peer = new PeerMemory('http2', options, 0);
  assert.equal(peer.expectedStreams, 100);
  peer.sawLimit(250);
  assert.equal(peer.expectedStreams, 250);
  peer.sawLimit(1000);
  assert.equal(peer.expectedStreams, 500);
  assert.equal(new PeerMemory('http2', options, 7).expectedStreams, 7);
  assert.equal(new PeerMemory('http1', options, 7).expectedStreams, 1);
});

test('beside a connection that may speak either protocol no other is made', () => {
  const peer = new PeerMemory('auto', defaultHttp2Options, 0);
  assert.ok(peer.expectedStreams > 1_000_000);
  peer.speaksHttp2 = false;
  assert.equal(peer.expectedStreams, 1);
});
