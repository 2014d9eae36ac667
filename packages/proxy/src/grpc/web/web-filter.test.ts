// Clients of gRPC-Web in front of a server of gRPC. What goes out is what Envoy 1.40 sends, but where a test says otherwise.
import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { describe, test } from 'node:test';
import { packAny, TypeUrl } from '@heddle/xds';
import { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { HttpFilter } from '../../http/http-filter.ts';
import { type RequestToSend, startHttp2Upstream } from '../../http/http2-upstream-under-test.ts';
import {
  type ProxyOptions,
  RawClient,
  startBackend,
  startProxy,
  toBackend,
} from '../../http/proxy-under-test.ts';
import { type Answer, type AskOptions, ask as askThrough, countsOf, message } from '../calls-under-test.ts';
import { WebFilter } from './web-filter.ts';

const webFilter = new WebFilter({ kind: 'grpc-web', name: 'web', isDisabled: false });
const calls = { stats: null, traffic: null };
const textType = 'application/grpc-web-text';

const trailersFrame = Buffer.from('\u0080\0\0\0\u000fgrpc-status:0\r\n', 'latin1');

type Options = AskOptions & Partial<ProxyOptions>;

function ask(
  t: Parameters<typeof askThrough>[0],
  request: RequestToSend,
  { filters = [webFilter], ...options }: Options = {},
): ReturnType<typeof askThrough> {
  return askThrough(t, request, filters, options);
}

function web(contentType: string, body: Buffer | string, more: Record<string, string> = {}): RequestToSend {
  return { headers: { 'content-type': contentType, ...more }, body };
}

const binary = web('application/grpc-web+proto', message('hello'));

describe('a call of gRPC-Web', () => {
  for (const over of ['http1', 'http2'] as const) {
    test(`in binary goes on as gRPC, and gets its trailers in the body, over ${over}`, async (t) => {
      const { status, headers, body, seen, grpcStatuses, proxy } = await ask(t, binary, { over });
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'application/grpc-web+proto');
      assert.equal(headers['content-length'], undefined);
      assert.deepEqual(body, Buffer.concat([message('one'), message('four'), trailersFrame]));
      const { headers: sent, body: sentBody } = seen[0]!;
      assert.equal(sent['content-type'], 'application/grpc');
      assert.equal(sent['te'], 'trailers');
      assert.equal(sent['grpc-accept-encoding'], 'identity');
      assert.equal(sent['content-length'], undefined);
      assert.deepEqual(sentBody, message('hello'));
      assert.deepEqual(grpcStatuses, [0]);
      assert.deepEqual(proxy.bytes, [{ received: 10, sent: body.length }]);
      assert.deepEqual(countsOf(proxy, 'cluster.be.grpc-web.a.B.C.'), { 0: 1, success: 1, total: 1 });
    });

    test(`in text is decoded and encoded, a piece for each message, over ${over}`, async (t) => {
      // Two pieces with padding of their own: Envoy refuses them where they come at once.
      const pieces = message('a').toString('base64') + message('bcd').toString('base64');
      const { headers, body, seen, proxy } = await ask(t, web(textType, pieces, { accept: textType }), {
        over,
      });
      assert.equal(headers['content-type'], 'application/grpc-web-text+proto');
      const expected = [message('one'), message('four'), trailersFrame].map((one) => one.toString('base64'));
      assert.equal(body.toString(), expected.join(''));
      assert.deepEqual(seen[0]!.body, Buffer.concat([message('a'), message('bcd')]));
      assert.deepEqual(proxy.bytes, [{ received: pieces.length, sent: body.length }]);
    });
  }

  test('in chunks has their framing taken off, whatever the upstream speaks', async (t) => {
    let got = '';
    const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n8\r\n${message('one').toString('latin1')}\r\n0\r\ngrpc-status: 0\r\n\r\n`;
    const backend = await startBackend((socket) => {
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
        if (got.endsWith('0\r\n\r\n')) socket.write(answer, 'latin1');
      });
    });
    t.after(() => backend.close());
    const proxy = await startProxy({
      ports: [backend.port],
      filters: [webFilter],
      calls,
      responses: { takesTrailers: true },
    });
    t.after(() => proxy.close());
    const client = new RawClient(proxy.port);
    t.after(() => client.close());
    const base64 = message('hello').toString('base64');
    const head = `POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: ${textType}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    // In the middle of a group of four characters.
    client.write(`${head}3\r\n${base64.slice(0, 3)}\r\n`);
    client.write(`${(base64.length - 3).toString(16)}\r\n${base64.slice(3)}\r\n0\r\n\r\n`);
    const received = await client.until((text) => text.endsWith('0\r\n\r\n'));
    assert.match(got, /\r\ncontent-type: application\/grpc\r\n/);
    const body = got.slice(got.indexOf('\r\n\r\n') + 4);
    const data = body.replaceAll(/(?<=^|\n)[0-9a-f]+\r\n/g, '').replaceAll('\r\n', '');
    assert.equal(data, message('hello').toString('latin1'));
    assert.ok(received.includes(trailersFrame.toString('latin1')));
    // The connection is as it was before: the next request on it is none of gRPC-Web's.
    got = '';
    client.write('GET / HTTP/1.1\r\nHost: a\r\nx-end: 0\r\n\r\n');
    while (!got.includes('\r\n\r\n')) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!got.includes('content-type'));
  });

  test('that has all it is to say in the head is left at that', async (t) => {
    const answer: Answer = (stream) =>
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'no' },
        { endStream: true },
      );
    const { status, headers, body, proxy, grpcStatuses } = await ask(t, binary, { answer });
    assert.deepEqual(
      [status, headers['content-type'], headers['grpc-status'], headers['grpc-message'], body.length],
      [200, 'application/grpc-web+proto', '5', 'no', 0],
    );
    assert.equal(headers['content-length'], '0');
    assert.deepEqual(grpcStatuses, [5]);
    assert.deepEqual(countsOf(proxy, 'cluster.be.grpc-web.a.B.C.'), { 5: 1, failure: 1, total: 1 });
  });

  test('whose answer is none of gRPC’s is told what it says as a status', async (t) => {
    const answer: Answer = (stream) => {
      stream.respond({ ':status': 503, 'content-type': 'text/html', 'content-length': 4 });
      stream.end('<%p>');
    };
    const { status, headers, body, proxy } = await ask(t, binary, { answer });
    assert.deepEqual([status, headers['grpc-status'], headers['grpc-message']], [503, '14', '<%25p>']);
    assert.equal(headers['content-length'], '0');
    assert.equal(body.length, 0);
    assert.deepEqual(proxy.bytes, [{ received: 10, sent: 0 }]);
  });

  test('that is not base64 is refused', async (t) => {
    for (const body of ['!!!!', 'AAA', 'AAAAA=']) {
      const { status, headers, proxy } = await ask(t, web(textType, body));
      assert.deepEqual([status, headers['grpc-status']], [400, '13'], body);
      assert.match(headers['grpc-message'] as string, /^Bad gRPC-web request/);
      assert.match(proxy.finished[0]!.details, /^grpc_base_64_decode_failed/);
    }
  });

  test('that finds no upstream is told so', async (t) => {
    const routes = [
      toBackend(
        { clusterSpecifier: { $case: 'cluster', value: 'be' } },
        { pathSpecifier: { $case: 'prefix', value: '/other' } },
      ),
    ];
    const { status, headers, grpcStatuses } = await ask(t, binary, { routes, over: 'http2' });
    assert.deepEqual([status, headers['grpc-status']], [404, '12']);
    assert.equal(headers['grpc-message'], 'no route for this host and path');
    assert.deepEqual(grpcStatuses, [12]);
  });

  test('has the deadline of its own', async (t) => {
    const durationMs = { maxStreamDuration: { grpcTimeoutHeaderMax: { seconds: 5, nanos: 0 } } };
    const { status, headers } = await ask(
      t,
      web('application/grpc-web', message('a'), { 'grpc-timeout': '20m' }),
      { route: durationMs, answer: () => undefined },
    );
    assert.deepEqual([status, headers['grpc-status']], [504, '14']);
  });
});

describe('the filter', () => {
  const denies: HttpFilter = {
    onRequest: (request) =>
      request.header('content-type') === 'application/grpc'
        ? { status: 403, flag: '-', details: 'd', body: 'no grpc' }
        : { status: 401, flag: '-', details: 'd', body: 'no web' },
  };

  test('changes the request for those behind it, and the answers that they give', async (t) => {
    const behind = await ask(t, binary, { filters: [webFilter, denies] });
    assert.deepEqual(
      [behind.status, behind.headers['grpc-status'], behind.headers['grpc-message']],
      [403, '7', 'no grpc'],
    );
    assert.equal(behind.body.length, 0);
    const before = await ask(t, binary, { filters: [denies, webFilter] });
    assert.deepEqual(
      [before.status, before.headers['content-type'], before.body.toString()],
      [401, 'text/plain', 'no web'],
    );
  });

  test('leaves other requests alone', async (t) => {
    const { headers, body, seen, grpcStatuses } = await ask(t, web('application/grpc', message('a')), {
      over: 'http2',
    });
    assert.equal(headers['content-type'], 'application/grpc');
    assert.deepEqual(body, Buffer.concat([message('one'), message('four')]));
    assert.equal(seen[0]!.headers['grpc-accept-encoding'], undefined);
    assert.deepEqual(grpcStatuses, [0]);
    const json = await ask(t, web('application/grpc-web+json', '{}'));
    assert.equal(json.seen[0]!.headers['content-type'], 'application/grpc-web+json');
  });

  test('does nothing where it is disabled, or a route has it so', async (t) => {
    const wrapper = packAny(TypeUrl.routeFilterConfig, { disabled: true });
    const routes = [toBackend({}, undefined, { typedPerFilterConfig: { web: wrapper } })];
    const other = await ask(t, binary, { routes });
    assert.equal(other.seen[0]!.headers['content-type'], 'application/grpc-web+proto');
    const off = new WebFilter({ kind: 'grpc-web', name: 'web', isDisabled: true });
    const { seen } = await ask(t, binary, { filters: [off] });
    assert.equal(seen[0]!.headers['content-type'], 'application/grpc-web+proto');
  });

  test('routes see the request as it came', async (t) => {
    const match = { pathSpecifier: { $case: 'prefix', value: '/' }, grpc: {} } as const;
    const action = { $case: 'directResponse', value: { status: 418 } } as const;
    const { status } = await ask(t, binary, {
      routes: [Route.fromPartial({ match, action }), toBackend({})],
    });
    assert.equal(status, 200);
  });
});

test('a client that goes in the middle of a call leaves nothing behind', async (t) => {
  let sessionStream: ServerHttp2Stream | null = null;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  const { proxy } = await startHttp2Upstream(
    t,
    (stream) => {
      sessionStream = stream;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(message('one'));
      stream.on('close', onClosed);
      stream.resume();
      resolve();
    },
    { filters: [webFilter], calls },
  );
  const client = new RawClient(proxy.port);
  client.write(
    'POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0',
  );
  await promise;
  await client.until((text) => text.includes('one'));
  client.close();
  await closed;
  assert.notEqual(sessionStream, null);
  while (proxy.finished.length === 0) await new Promise((done) => setImmediate(done));
  assert.equal(proxy.finished[0]!.flags, 'DC');
});
