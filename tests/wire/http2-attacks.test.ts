// What a client of HTTP/2 can do to a proxy and, through it, to an upstream of HTTP/1.1. That each ends in GOAWAY, with
// bounded memory, is shown of the codec by itself: packages/proxy/src/http2/attacks.test.ts.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  FrameTexts,
  clientStart,
  data,
  frame,
  getRequest,
  headers,
  postRequest,
  rstStream,
  settings,
  windowUpdate,
} from '@heddle/proxy/http2/test-peer';
import { readStrictly } from '../conformance/strict-request.ts';
import { MemoryProxy, type Peer } from '../support/memory-proxy.ts';

const end = 1;
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const proxy = await MemoryProxy.start({
  manager: {
    codec_type: 'HTTP2',
    http2_protocol_options: {
      max_concurrent_streams: 100,
      override_stream_error_on_invalid_http_message: true,
    },
  },
});
after(() => proxy.close());

class Client {
  readonly peer: Peer = proxy.connect();
  private readonly texts = new FrameTexts();
  private read = 0;

  constructor() {
    this.send(clientStart, frame(4, 1, 0));
    this.received();
  }

  send(...frames: readonly Uint8Array[]): this {
    this.peer.send(Buffer.concat(frames).toString('latin1'));
    proxy.run();
    return this;
  }

  /** Frames that have come since the last call. */
  received(): string[] {
    proxy.run();
    const bytes = Buffer.from(this.peer.text.slice(this.read), 'latin1');
    this.read = this.peer.text.length;
    return this.texts.read(bytes);
  }
}

/** Answers each complete request. */
function serve(): void {
  const answered = new Map<Peer, number>();
  proxy.serve = (peer) => {
    const complete = readStrictly(peer.text).requests.length;
    for (let count = answered.get(peer) ?? 0; count < complete; count++) peer.send(answer);
    answered.set(peer, complete);
  };
}

/** Everything that upstreams have got is read in one way; its requests. */
function forwarded(): string[] {
  return proxy.upstream.flatMap(({ text }) => {
    const { problem, requests } = readStrictly(text);
    assert.equal(problem, '');
    return requests.map(({ target }) => target);
  });
}

/** Nothing is left of any request. */
function assertNothingLeft(): void {
  proxy.run(100);
  for (const name of [
    'envoy_http_downstream_rq_active',
    'envoy_cluster_upstream_rq_active',
    'envoy_http2_streams_active',
    'envoy_http2_pending_send_bytes',
  ]) {
    assert.equal(proxy.metric(name), 0, name);
  }
  proxy.forget();
}

describe('requests reset at once (rapid reset)', () => {
  test('end the connection, and each is cancelled upstream', () => {
    proxy.serve = () => undefined;
    const client = new Client();
    let id = 1;
    for (; !client.peer.hasEnded && id < 2000; id += 2) {
      client.send(headers(id, getRequest, end), rstStream(id, 8));
    }
    assert.equal(id, 501);
    assert.equal(client.received().at(-1), 'GOAWAY 0 last=499 ENHANCE_YOUR_CALM');
    assert.equal(proxy.metric('envoy_http_downstream_rq_too_many_premature_resets'), 1);
    proxy.run(2000);
    assert.ok(proxy.upstream.every((peer) => peer.isClosed || peer.hasEnded));
    assertNothingLeft();
  });

  test('by the proxy, provoked by the client, end it as well (MadeYouReset)', () => {
    proxy.serve = () => undefined;
    const client = new Client();
    let id = 1;
    for (; !client.peer.hasEnded && id < 2000; id += 2) {
      client.send(headers(id, getRequest, end), windowUpdate(id, 0));
    }
    assert.equal(id, 501);
    assert.equal(client.received().at(-1), 'GOAWAY 0 last=499 ENHANCE_YOUR_CALM');
    assertNothingLeft();
  });
});

describe('requests over the limit of streams', () => {
  test('are refused, and no upstream hears of them', () => {
    proxy.serve = () => undefined;
    const client = new Client();
    for (let id = 1; id <= 201; id += 2) client.send(headers(id, getRequest, end));
    assert.deepEqual(client.received(), ['RST_STREAM 201 REFUSED_STREAM']);
    assert.equal(forwarded().length, 100);
    client.peer.reset();
    assertNothingLeft();
  });

  test('a hundred at once are gone with their connection', () => {
    proxy.serve = () => undefined;
    const client = new Client();
    for (let id = 1; id < 200; id += 2) client.send(headers(id, postRequest), data(id, 'part of a body'));
    client.peer.reset();
    assertNothingLeft();
  });
});

describe('what HTTP/1.1 would take for something else', () => {
  const without = (name: string): typeof getRequest => getRequest.filter((field) => field[0] !== name);
  const cases: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ...['a\r\nX: 1', 'a\nb', 'a\0b', 'a\rb', ' a', 'a '].map(
      (value) =>
        [`the value ${JSON.stringify(value)}`, [headers(1, [...getRequest, ['x', value]], end)]] as const,
    ),
    ...['X-Upper', 'a b', 'a:b', '', 'a\r\nb', ':unknown', 'host:'].map(
      (name) =>
        [`the name ${JSON.stringify(name)}`, [headers(1, [...getRequest, [name, '1']], end)]] as const,
    ),
    ...['/ HTTP/1.1\r\nX: 1', '/a b', '', '*', 'http://a/', '/\r\n'].map(
      (path) =>
        [
          `the path ${JSON.stringify(path)}`,
          [headers(1, [...without(':path'), [':path', path]], end)],
        ] as const,
    ),
    ...['GET / HTTP/1.1\r\n', 'G T', ''].map(
      (method) =>
        [
          `the method ${JSON.stringify(method)}`,
          [headers(1, [[':method', method], ...without(':method')], end)],
        ] as const,
    ),
    ...['a\r\nX: 1', 'a b', 'u@a', 'a/b'].map(
      (host) =>
        [
          `the authority ${JSON.stringify(host)}`,
          [headers(1, [...without(':authority'), [':authority', host]], end)],
        ] as const,
    ),
    ...['connection', 'transfer-encoding', 'keep-alive', 'proxy-connection', 'upgrade'].map(
      (name) =>
        [
          `the field ${name}`,
          [
            headers(1, [...postRequest, [name, 'chunked']]),
            data(1, '0\r\n\r\nGET /inner HTTP/1.1\r\n\r\n', end),
          ],
        ] as const,
    ),
    ['te: gzip', [headers(1, [...getRequest, ['te', 'gzip']], end)]],
    [
      'two lengths',
      [headers(1, [...postRequest, ['content-length', '3'], ['content-length', '4']]), data(1, 'abc', end)],
    ],
    ['a length with a sign', [headers(1, [...postRequest, ['content-length', '+3']]), data(1, 'abc', end)]],
    ['a pseudo-header behind a field', [headers(1, [...without(':path'), ['x', '1'], [':path', '/']], end)]],
    ['two paths', [headers(1, [...getRequest, [':path', '/other']], end)]],
    ['a host that is not the authority', [headers(1, [...getRequest, ['host', 'b']], end)]],
    ['no authority and no host', [headers(1, without(':authority'), end)]],
    ['CONNECT with a path', [headers(1, [[':method', 'CONNECT'], ...without(':method')], end)]],
    ['a response', [headers(1, [[':status', '200']], end)]],
  ];
  for (const [what, frames] of cases) {
    test(`${what} never reaches an upstream`, () => {
      serve();
      const client = new Client();
      client.send(...frames);
      assert.deepEqual(client.received(), ['RST_STREAM 1 PROTOCOL_ERROR']);
      assert.deepEqual(forwarded(), []);
      client.send(headers(3, getRequest, end));
      assert.match(client.received().join(), /HEADERS 3 :status=200/);
      client.peer.reset();
      assertNothingLeft();
    });
  }

  for (const [what, body] of [
    ['less', 'ab'],
    ['more', 'abcdGET /inner HTTP/1.1\r\n\r\n'],
  ] as const) {
    test(`a body of ${what} than its length is no request upstream, nor is what follows`, () => {
      serve();
      const client = new Client();
      client.send(headers(1, [...postRequest, ['content-length', '3']]), data(1, body, end));
      assert.deepEqual(client.received(), ['RST_STREAM 1 PROTOCOL_ERROR']);
      assert.deepEqual(
        proxy.upstream.flatMap(({ text }) => readStrictly(text).requests),
        [],
      );
      client.send(headers(3, getRequest, end));
      assert.match(client.received().join(), /HEADERS 3 :status=200/);
      client.peer.reset();
      assertNothingLeft();
    });
  }
});

describe('frames that cost nothing', () => {
  const ping = frame(6, 0, 0, Buffer.alloc(8));
  const floods: readonly (readonly [string, (id: number) => readonly Uint8Array[]])[] = [
    ['PING', () => Array.from({ length: 2000 }, () => ping)],
    ['SETTINGS', () => Array.from({ length: 2000 }, () => settings())],
    ['empty DATA', () => [data(1, ''), data(1, '')]],
    ['PRIORITY', () => Array.from({ length: 500 }, () => frame(2, 0, 1, Buffer.alloc(5)))],
    ['WINDOW_UPDATE', () => Array.from({ length: 500 }, () => windowUpdate(1, 1))],
    [
      'CONTINUATION',
      () => [
        frame(1, 0, 3, Buffer.alloc(10)),
        ...Array.from({ length: 50 }, () => frame(9, 0, 3, Buffer.from([0x80]))),
      ],
    ],
  ];
  for (const [what, flood] of floods) {
    test(`${what} end the connection, and the request under way with it`, () => {
      proxy.serve = () => undefined;
      const client = new Client();
      client.send(headers(1, postRequest), data(1, 'part'));
      client.send(...flood(1));
      assert.equal(client.received().at(-1), 'GOAWAY 0 last=1 ENHANCE_YOUR_CALM');
      assert.ok(client.peer.hasEnded);
      assert.equal(proxy.metric('envoy_http_downstream_cx_protocol_error'), 0);
      proxy.run(2000);
      assertNothingLeft();
    });
  }
});

test('a response that its client does not take is held up at its upstream, and given up in the end (tiny windows)', () => {
  const body = 'x'.repeat(10_000_000);
  proxy.serve = (peer) => {
    peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  };
  const client = new Client();
  client.send(settings([4, 1]), headers(1, getRequest, end));
  proxy.run(10_000);
  const held = proxy.metric('envoy_http2_pending_send_bytes');
  assert.ok(held > 0 && held <= 256 * 1024, String(held));
  proxy.run(310_000);
  assert.equal(client.received().filter((text) => text.startsWith('RST_STREAM 1')).length, 1);
  client.peer.reset();
  assertNothingLeft();
});
