import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InternalAddresses } from './internal-addresses.ts';
import { EscapedSlashes } from './path-normalization.ts';
import {
  type ProxyOptions,
  RawClient,
  plainRules,
  startProxy,
  startResponder,
  toBackend,
} from './proxy-under-test.ts';
import type { RequestRuleOptions } from './request-rules.ts';

interface Seen {
  /** The head at the backend, without Host; null where nothing came there. */
  readonly upstream: readonly string[] | null;
  readonly requestLine: string;
  readonly response: string;
}

/** Sends one request through a proxy with these rules. */
async function pass(
  t: { after(fn: () => unknown): void },
  rules: Partial<RequestRuleOptions>,
  lines: readonly string[] = [],
  target = 'GET /',
  returnsRequestId = false,
  route: ProxyOptions['route'] = {},
): Promise<Seen> {
  let head: string | null = null;
  const backend = await startResponder((received) => {
    head = received;
    return 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-request-id: upstream\r\n\r\n';
  });
  const proxy = await startProxy({ ports: [backend.port], rules, returnsRequestId, route });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
    await backend.close();
  });
  client.write(`${target} HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
  const response = await client.until((text) => text.includes('\r\n\r\n'));
  const [requestLine = '', ...fields] = (head ?? '').split('\r\n');
  return {
    requestLine,
    upstream: head === null ? null : fields.filter((line) => line !== '' && line !== 'Host: a'),
    response,
  };
}

const { addresses } = plainRules;
const internal = new InternalAddresses([
  { address: '10.0.0.0', bits: 8 },
  { address: '127.0.0.1', bits: 32 },
]);
const withRanges = { addresses: { ...addresses, internal } };
const edge = { addresses: { ...addresses, useRemoteAddress: true } };
const hop = { addresses: { ...addresses, useRemoteAddress: true, trustedHops: 1 } };
const noId = { generatesRequestId: false };

const xff = 'x-forwarded-for: 1.2.3.4, 10.1.1.1';
const https = 'x-forwarded-proto: https';
const port = 'x-forwarded-port: 99';
const http = 'x-forwarded-proto: http';
const external = 'x-envoy-external-address: 127.0.0.1';

// What Envoy 1.40 forwards for each, found by sending it (order aside).
const cases: readonly (readonly [
  string,
  Partial<RequestRuleOptions>,
  readonly string[],
  readonly string[],
])[] = [
  ['adds the scheme', noId, [], [http]],
  ['believes scheme and addresses of who is before us', noId, [xff, https, port], [xff, https, port]],
  ['replaces an empty scheme', noId, ['x-forwarded-proto: '], [http]],
  [
    'at the edge believes nobody',
    { ...edge, ...noId },
    [https, port, external.replace('127', '9')],
    ['x-forwarded-for: 127.0.0.1', http, port, external],
  ],
  ['at the edge appends the peer', { ...edge, ...noId }, [xff], [`${xff},127.0.0.1`, http, external]],
  [
    'names its own address for clients on this machine',
    { ...edge, ...noId, ownAddress: '192.0.2.2' },
    [],
    ['x-forwarded-for: 192.0.2.2', http, external],
  ],
  [
    'does not append where told so',
    { ...edge, ...noId, skipsForwardedFor: true },
    [xff],
    [xff, http, external],
  ],
  [
    'behind a trusted proxy keeps its scheme',
    { ...hop, ...noId },
    [xff, https],
    [`${xff},127.0.0.1`, https, 'x-envoy-external-address: 10.1.1.1'],
  ],
  [
    'behind a trusted proxy adds a missing scheme',
    { ...hop, ...noId },
    [],
    ['x-forwarded-for: 127.0.0.1', http, external],
  ],
  [
    'marks an internal client',
    { ...withRanges, ...noId },
    ['x-forwarded-for: 10.1.1.1'],
    ['x-forwarded-for: 10.1.1.1', http, 'x-envoy-internal: true'],
  ],
  ['unmasks who says to be internal', { ...withRanges, ...noId }, ['x-envoy-internal: true'], [http]],
  [
    'at the edge marks an internal peer',
    { addresses: { ...withRanges.addresses, useRemoteAddress: true }, ...noId },
    [],
    ['x-forwarded-for: 127.0.0.1', http, 'x-envoy-internal: true'],
  ],
  ['sets Via', { ...noId, via: 'vv' }, [], [http, 'via: vv']],
  ['appends to Via', { ...noId, via: 'vv' }, ['Via: 1.1 o', 'via: 1.1 p'], [http, 'via: 1.1 o,1.1 p, vv']],
  ['keeps a request id', {}, ['x-request-id: abc'], ['x-request-id: abc', http]],
  [
    'at the edge keeps a request id where told so',
    { ...edge, preservesRequestId: true },
    ['x-request-id: abc'],
    ['x-forwarded-for: 127.0.0.1', http, external, 'x-request-id: abc'],
  ],
  [
    'at the edge takes over no tracing decision',
    { ...edge, preservesRequestId: true },
    ['x-request-id: 2144a094-3ea3-91ad-8390-ac5240611ef3'],
    ['x-forwarded-for: 127.0.0.1', http, external, 'x-request-id: 2144a094-3ea3-41ad-8390-ac5240611ef3'],
  ],
  [
    'removes variants of trusted names',
    { ...edge, ...noId },
    ['x_forwarded-for: 1', 'X-Envoy_Internal: true', 'x-envoy-original_path: /'],
    ['x-forwarded-for: 127.0.0.1', http, external],
  ],
  ['removes a certificate that nobody verified', noId, ['X-Forwarded-Client-Cert: By=x'], [http]],
];

describe('a request goes on as Envoy lets it', () => {
  for (const [name, rules, sent, expected] of cases) {
    test(name, async (t) => {
      const { upstream } = await pass(t, rules, sent);
      assert.deepEqual(upstream?.toSorted(), [...expected].toSorted());
    });
  }

  test('a certificate header that is always forwarded stays as it came', async (t) => {
    const clientCert = { ...plainRules.clientCert, mode: 'always-forward-only' as const };
    const { upstream } = await pass(t, { ...noId, clientCert }, ['X-Forwarded-Client-Cert: By=x']);
    assert.deepEqual(upstream, ['X-Forwarded-Client-Cert: By=x', http]);
  });

  test('an edge request gets an id of ours, an empty id counts as none', async (t) => {
    for (const rules of [edge, {}]) {
      const sent = rules === edge ? 'x-request-id: abc' : 'x-request-id: ';
      const { upstream } = await pass(t, rules, [sent]);
      const ids = upstream?.filter((line) => line.startsWith('x-request-id'));
      assert.equal(ids?.length, 1);
      assert.match(ids[0]!, /^x-request-id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    }
  });

  test('a request id goes back where told so', async (t) => {
    const { response } = await pass(t, {}, ['x-request-id: abc'], 'GET /', true);
    assert.match(response, /\r\nx-request-id: abc\r\n/);
    assert.doesNotMatch(response, /x-request-id: upstream/);
    const other = await pass(t, noId, [], 'GET /', true);
    assert.match(other.response, /\r\nx-request-id: upstream\r\n/);
  });
});

const instructions = [
  'x-envoy-retry-on: 5xx',
  'x-envoy-retry-grpc-on: cancelled',
  'x-envoy-max-retries: 1',
  'x-envoy-retriable-status-codes: 500',
  'x-envoy-retriable-header-names: x',
  'x-envoy-upstream-alt-stat-name: x',
  'x-envoy-upstream-rq-timeout-ms: 7000',
  'x-envoy-upstream-rq-per-try-timeout-ms: 1',
  'x-envoy-upstream-rq-timeout-alt-response: 1',
  'x-envoy-hedge-on-per-try-timeout: true',
  'x-envoy-expected-rq-timeout-ms: 1',
];
const internalOnly = ['x-envoy-force-trace: 1', 'x-envoy-ip-tags: 1', 'x-envoy-original-url: 1'];
const edgeOnly = [
  'x-envoy-decorator-operation: 1',
  'x-envoy-downstream-service-cluster: 1',
  'x-envoy-downstream-service-node: 1',
  'x-envoy-original-path: 1',
  'x-envoy-original-host: 1',
];
const others = [
  'x-envoy-attempt-count: 1',
  'x-envoy-peer-metadata: 1',
  'x-forwarded-host: h',
  'x-client-trace-id: t',
];

describe('internal headers', () => {
  const everything = [...instructions, ...internalOnly, ...edgeOnly, ...others];
  const kept = async (
    t: { after(fn: () => unknown): void },
    rules: Partial<RequestRuleOptions>,
    lines: string[],
  ) => {
    const { upstream } = await pass(t, { ...rules, ...noId }, [...lines, ...everything]);
    return upstream?.filter((line) => everything.includes(line));
  };

  test('of an internal client all but instructions to us go on', async (t) => {
    assert.deepEqual(await kept(t, withRanges, ['x-forwarded-for: 10.1.1.1']), [
      ...internalOnly,
      ...edgeOnly,
      ...others,
    ]);
  });

  test('of an external client those that only the mesh may send do not', async (t) => {
    assert.deepEqual(await kept(t, withRanges, []), [...edgeOnly, ...others]);
  });

  test('at the edge none that the mesh says of itself does', async (t) => {
    assert.deepEqual(await kept(t, edge, []), others);
  });

  test('an internal client sets its own timeout, another does not', async (t) => {
    const expected = async (line: string) => {
      const { upstream } = await pass(t, withRanges, [line, 'x-envoy-upstream-rq-timeout-ms: 7000']);
      return upstream?.find((field) => field.startsWith('x-envoy-expected-rq-timeout-ms'));
    };
    assert.equal(await expected('x-forwarded-for: 10.1.1.1'), 'x-envoy-expected-rq-timeout-ms: 7000');
    assert.equal(await expected('x-forwarded-for: 1.1.1.1'), undefined);
  });
});

test('what does not go on as it came decides nothing', async (t) => {
  const statusFor = async (name: string, lines: string): Promise<string> => {
    const match = { pathSpecifier: { $case: 'prefix' as const, value: '/' }, headers: [{ name }] };
    const backend = await startResponder(() => 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    const proxy = await startProxy({ ports: [backend.port], routes: [toBackend({}, match)] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
    return (await client.until((text) => text.includes('\r\n\r\n'))).slice(9, 12);
  };
  assert.equal(await statusFor('x-role', 'X-Role: admin\r\n'), '200');
  assert.equal(await statusFor('x-role', 'X-Role: admin\r\nConnection: close, X-Role\r\n'), '404');
  assert.equal(await statusFor('upgrade', 'Upgrade: websocket\r\nConnection: upgrade\r\n'), '403');
  assert.equal(await statusFor('x-forwarded-client-cert', 'X-Forwarded-Client-Cert: URI=a\r\n'), '404');
});

describe('the path', () => {
  const path = { normalizes: true, mergesSlashes: true, escapedSlashes: EscapedSlashes.redirect };

  test('is forwarded as it is routed', async (t) => {
    const { requestLine } = await pass(t, { path }, [], 'GET /a/..//b/%2e%2E/c?d//e');
    assert.equal(requestLine, 'GET /c?d//e HTTP/1.1');
  });

  test('is refused with 400 and the end of the connection', async (t) => {
    const { response, upstream } = await pass(t, { path }, [], 'GET /%00');
    assert.match(response, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(response, /\r\nconnection: close\r\n/);
    assert.equal(upstream, null);
  });

  test('is redirected where its slashes were escaped', async (t) => {
    const { response, upstream } = await pass(t, { path }, [], 'GET /a%2F..%5cb?c');
    assert.match(response, /^HTTP\/1\.1 307 Temporary Redirect\r\n/);
    assert.match(response, /\r\nlocation: \/b\?c\r\n/);
    assert.doesNotMatch(response, /connection: close/);
    assert.equal(upstream, null);
  });

  test('has to be one', async (t) => {
    const { response, upstream } = await pass(t, {}, [], 'OPTIONS *');
    assert.match(response, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.doesNotMatch(response, /connection: close/);
    assert.equal(upstream, null);
  });
});

test('a host without its port and dot is routed and forwarded', async (t) => {
  const host = { stripsPort: 'any' as const, stripsDot: true };
  const { upstream } = await pass(t, { ...noId, host }, [], 'GET http://Shop.:8080/');
  assert.deepEqual(upstream, ['host: Shop', http]);
});

describe('a rewritten request tells what it was', () => {
  const literal = { $case: 'hostRewriteLiteral' as const, value: 'new.host' };

  test('its host', async (t) => {
    const action = { hostRewriteSpecifier: literal, appendXForwardedHost: true };
    const { upstream } = await pass(
      t,
      noId,
      ['x-forwarded-host: z', 'x-envoy-original-host: q'],
      'GET /',
      false,
      action,
    );
    assert.deepEqual(upstream?.toSorted(), [
      'host: new.host',
      'x-envoy-original-host: a',
      'x-forwarded-host: z,a',
      http,
    ]);
  });

  test('its path, without telling of a host that stayed', async (t) => {
    const action = {
      prefixRewrite: '/v2',
      appendXForwardedHost: true,
      hostRewriteSpecifier: { $case: 'hostRewriteHeader' as const, value: 'x-h' },
    };
    const { upstream, requestLine } = await pass(t, noId, [], 'GET /a?b', false, action);
    assert.equal(requestLine, 'GET /v2a?b HTTP/1.1');
    assert.deepEqual(upstream?.toSorted(), ['x-envoy-original-path: /a?b', http]);
  });
});
