import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type OutgoingHttpHeaders, connect } from 'node:http2';
import { describe, test } from 'node:test';
import { type AccessLogEntry, Counter } from '@heddle/telemetry';
import { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { GrpcStatsRules } from '../grpc/call-metrics.ts';
import { startChain } from './chain-under-test.ts';
import type { ProxyOptions } from './proxy-under-test.ts';

const rules: GrpcStatsRules = { methods: 'all', timesUpstream: true, replacesDots: false };
const twoMessages = Buffer.from([0, 0, 0, 0, 1, 0x61, 0, 0, 0, 0, 0]);
const headers = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers' };

/** A response of two messages in chunks, and these trailers. */
function streamed(trailers: string, contentType = 'application/grpc'): string {
  const chunk = `b\r\n${twoMessages.toString('latin1')}\r\n`;
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n`;
  return `${head}${chunk}0\r\n${trailers}\r\n`;
}

/** Makes one call; how it ended and what was counted of it. */
async function makeCall(
  t: { after(fn: () => unknown): void },
  answer: string | null,
  more: OutgoingHttpHeaders = {},
  options: Partial<ProxyOptions> = {},
) {
  const statuses: [isGrpc: boolean, status: number][] = [];
  const totals = { requests: new Counter(), responses: new Counter() };
  const { proxy, untilSeen } = await startChain(t, (text) => (text.endsWith('0\r\n\r\n') ? answer : null), {
    responses: { takesTrailers: true },
    calls: {
      stats: rules,
      traffic: { messagesOf: () => totals, connectionsOf: () => assert.fail('no connection') },
    },
    onFinished: (entry: AccessLogEntry) =>
      void statuses.push([Reflect.get(entry, 'isGrpc') as boolean, entry.grpcStatus]),
    ...options,
  });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ...headers, ...more });
  stream.on('error', () => undefined);
  stream.end(twoMessages);
  stream.resume();
  if (answer === null && options.routes === undefined) {
    await untilSeen((text) => text.endsWith('0\r\n\r\n'));
    stream.close(8);
  }
  await once(stream, 'close');
  while (statuses.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const method = proxy.metrics.grpc.of('/a.B/C', rules)!;
  return {
    status: statuses[0],
    messages: [method.requestMessages.value, method.responseMessages.value],
    totals: [totals.requests.value, totals.responses.value],
  };
}

describe('of a gRPC call', () => {
  test('messages are counted both ways, and the status of its trailers is told', async (t) => {
    const { status, messages, totals } = await makeCall(t, streamed('grpc-status: 5\r\n'));
    assert.deepEqual(status, [true, 5]);
    assert.deepEqual(
      [messages, totals],
      [
        [2, 2],
        [2, 2],
      ],
    );
  });

  test('the status may be in the head, and without any the HTTP status says it', async (t) => {
    const all = 'HTTP/1.1 200 OK\r\ngrpc-status: 14\r\ncontent-length: 0\r\n\r\n';
    assert.deepEqual((await makeCall(t, all)).status, [true, 14]);
    const page = 'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno';
    assert.deepEqual((await makeCall(t, page)).status, [true, 7]);
    assert.deepEqual((await makeCall(t, streamed(''))).status, [true, 2]);
  });

  test('a response that isn’t gRPC’s has no messages', async (t) => {
    const { messages, totals } = await makeCall(t, streamed('', 'text/html'));
    assert.deepEqual(
      [messages, totals],
      [
        [2, 0],
        [2, 0],
      ],
    );
  });

  test('an answer of the proxy’s own has its status, and none that has no response', async (t) => {
    const action = { $case: 'directResponse', value: { status: 429 } } as const;
    const match = { pathSpecifier: { $case: 'prefix', value: '/' } } as const;
    const routes = [Route.fromPartial({ match, action })];
    assert.deepEqual((await makeCall(t, null, {}, { routes })).status, [true, 14]);
    assert.deepEqual((await makeCall(t, null)).status, [true, -1]);
  });

  test('nothing is known where it is none', async (t) => {
    const web = { 'content-type': 'application/grpc-web' };
    const { status, messages, totals } = await makeCall(t, streamed('grpc-status: 5\r\n'), web);
    assert.deepEqual(
      [status, messages, totals],
      [
        [false, -1],
        [0, 0],
        [0, 0],
      ],
    );
  });
});
