import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { hello, startChain } from './chain-under-test.ts';
import { toBackend } from './proxy-under-test.ts';

type Changes = NonNullable<Parameters<typeof toBackend>[2]>;

const add = (key: string, value: string, appendAction: 0 | 1 | 2 | 3 = 0) => ({
  header: { key, value },
  appendAction,
});

interface Passed {
  /** The fields that the upstream got, and those that the client got. */
  readonly upstream: ReadonlyMap<string, string>;
  readonly client: ReadonlyMap<string, string>;
}

function fieldsOf(head: string): Map<string, string> {
  const lines = head.slice(0, head.indexOf('\r\n\r\n')).split('\r\n').slice(1);
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
}

/** What a request with these fields and its response come out as on a route with these changes. */
async function pass(
  t: { after(fn: () => unknown): void },
  changes: Changes,
  fields = '',
  routes: readonly Route[] = [toBackend({ prefixRewrite: '/new' }, undefined, { name: 'r', ...changes })],
): Promise<Passed> {
  const { client, seen } = await startChain(t, () => hello, { routes });
  client.write(`GET /old HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  const text = await client.until((received) => received.includes('\r\n\r\n'));
  return { upstream: fieldsOf(seen()), client: fieldsOf(text) };
}

test('added fields tell of the request and its connection', async (t) => {
  const { upstream } = await pass(
    t,
    {
      requestHeadersToAdd: [
        add('x-line', '%REQ(:method)% %REQ(:path)% %PROTOCOL%'),
        add('x-client', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'),
        add('x-to', '%UPSTREAM_CLUSTER%|%UPSTREAM_HOST%|%ROUTE_NAME%'),
        add('x-started', '%START_TIME(%Y)%'),
      ],
    },
    'x-a: b\r\n',
  );
  assert.equal(upstream.get('x-line'), 'GET /old HTTP/1.1');
  assert.equal(upstream.get('x-client'), '127.0.0.1');
  assert.equal(upstream.get('x-to'), 'be||r');
  assert.match(upstream.get('x-started')!, /^\d{4}$/);
});

test('fields of a response tell of both messages and of the upstream', async (t) => {
  const { client } = await pass(
    t,
    {
      requestHeadersToAdd: [add('x-added', '1')],
      requestHeadersToRemove: ['x-gone'],
      responseHeadersToAdd: [
        add('x-answer', '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESP(content-length)%'),
        add('x-request', '%REQ(x-added)%|%REQ(x-gone)%|%REQ(:path)%'),
        add('x-upstream', '%UPSTREAM_HOST%'),
      ],
    },
    'x-gone: 1\r\n',
  );
  assert.equal(client.get('x-answer'), '200 - 5');
  assert.equal(client.get('x-request'), '1||/newold');
  assert.match(client.get('x-upstream')!, /^127\.0\.0\.1:\d+$/);
});

test('a level sees what the one before it did, and nothing of its own', async (t) => {
  const { upstream } = await pass(
    t,
    {
      requestHeadersToAdd: [
        add('x-left', '%REQ(x-right)%', 2),
        add('x-right', '%REQ(x-left)%', 2),
        add('x-was', '%REQ(x-gone)%'),
      ],
      requestHeadersToRemove: ['x-gone'],
    },
    'x-left: l\r\nx-right: r\r\nx-gone: g\r\n',
  );
  assert.equal(upstream.get('x-left'), 'r');
  assert.equal(upstream.get('x-right'), 'l');
  assert.equal(upstream.has('x-was'), false);
});

test('a value that turns out empty changes nothing, unless it is to be kept', async (t) => {
  const changes = [add('x-a', '%REQ(x-no)%', 2), { ...add('x-b', '%REQ(x-no)%', 2), keepEmptyValue: true }];
  const { upstream } = await pass(t, { requestHeadersToAdd: changes }, 'x-a: 1\r\nx-b: 2\r\n');
  assert.equal(upstream.get('x-a'), '1');
  assert.equal(upstream.get('x-b'), '');
});

test('answers of the proxy itself have their formatted fields, too', async (t) => {
  const { client } = await pass(t, {}, '', [
    Route.fromPartial({
      name: 'direct',
      match: { pathSpecifier: { $case: 'prefix', value: '/' } },
      action: { $case: 'directResponse', value: { status: 203 } },
      responseHeadersToAdd: [add('x-why', '%RESPONSE_CODE_DETAILS% %ROUTE_NAME%')],
    }),
  ]);
  assert.equal(client.get('x-why'), 'direct_response direct');
});
