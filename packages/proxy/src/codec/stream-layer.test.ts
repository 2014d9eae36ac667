import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rejections } from '../http1/request-rejection.ts';
import { OutgoingResponse } from './outgoing-response.ts';
import type { LayeredExchange, ServerStream } from './server-stream.ts';
import { StreamLayer } from './stream-layer.ts';

class PlainLayer extends StreamLayer {
  requestBodyKind(bodyKind: number): number {
    return bodyKind;
  }
}

/** A stream and an exchange that write down what they are told, and whom they know. */
function ends() {
  const told: string[] = [];
  const knows: { exchange: LayeredExchange | null; stream: ServerStream | null } = {
    exchange: null,
    stream: null,
  };
  const teller = <T extends object>(own: Partial<T>): T =>
    new Proxy(own, {
      get: (target, name) => Reflect.get(target, name) ?? (() => void told.push(String(name))),
    }) as T;
  const stream = teller<ServerStream>({
    serveBy: (exchange) => {
      knows.exchange = exchange;
    },
  });
  const exchange = teller<LayeredExchange>({
    attach: (to) => {
      knows.stream = to;
    },
  });
  return { told, knows, stream, exchange };
}

const endings: readonly [name: string, end: (layer: StreamLayer) => void][] = [
  ['endResponse', (layer) => layer.endResponse()],
  ['abort', (layer) => layer.abort()],
  ['onClientGone', (layer) => layer.onClientGone('downstream_remote_disconnect')],
  ['onRejected', (layer) => layer.onRejected(Rejections.codecError, new OutgoingResponse(), 0)],
];

for (const [name, end] of endings) {
  test(`after ${name} a stream and its exchange know each other again, however many stood between`, () => {
    const { told, knows, stream, exchange } = ends();
    const [outer, inner] = [new PlainLayer(), new PlainLayer()];
    outer.enter(stream, exchange);
    assert.deepEqual([knows.exchange === outer, knows.stream === outer], [true, true]);
    inner.enter(outer, exchange);
    assert.deepEqual([knows.exchange === outer, knows.stream === inner], [true, true]);
    // What ends it is told on its way from where it begins.
    end(name.startsWith('on') ? outer : inner);
    assert.deepEqual([knows.exchange === exchange, knows.stream === stream], [true, true]);
    assert.deepEqual(told, [name]);
  });
}

test('in between everything passes', () => {
  const { told, stream, exchange } = ends();
  const layer = new PlainLayer();
  layer.enter(stream, exchange);
  layer.onRequestBody(Buffer.alloc(1), 0, 1);
  layer.onRequestEnd();
  layer.pauseRequest();
  layer.sendHead(new OutgoingResponse());
  layer.sendBody(Buffer.alloc(1), 0, 1);
  layer.onResponseDrain();
  assert.deepEqual(told, [
    'onRequestBody',
    'onRequestEnd',
    'pauseRequest',
    'sendHead',
    'sendBody',
    'onResponseDrain',
  ]);
});
