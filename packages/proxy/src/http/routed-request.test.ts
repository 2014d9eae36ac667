import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import { EscapedSlashes } from './path-normalization.ts';
import { type Finished, RawClient, startProxy } from './proxy-under-test.ts';
import { connectFailure } from './response-flags.ts';

const match = (value: string): Route['match'] =>
  Route.fromPartial({ match: { pathSpecifier: { $case: 'prefix', value } } }).match;

const routes = [
  Route.fromPartial({
    match: match('/direct')!,
    action: { $case: 'directResponse', value: { status: 200 } },
  }),
  Route.fromPartial({
    match: match('/redirect')!,
    action: { $case: 'redirect', value: { pathRewriteSpecifier: { $case: 'pathRedirect', value: '/' } } },
  }),
];

type Counts = Partial<Record<keyof ConnectionManagerMetrics, number>>;

// The counters that Envoy 1.40 moves, and its words in the log.
const cases: readonly (readonly [string, Finished, Counts])[] = [
  [
    'GET /direct',
    { code: 200, flags: '-', details: 'direct_response' },
    { requestsRouted: 1, directResponses: 1 },
  ],
  [
    'GET /redirect',
    { code: 301, flags: '-', details: 'direct_response' },
    { requestsRouted: 1, directResponses: 1 },
  ],
  [
    'GET /nowhere',
    { code: 404, flags: 'NR', details: 'route_not_found' },
    { requestsRouted: 1, routesNotFound: 1 },
  ],
  [
    'GET /%00',
    { code: 400, flags: '-', details: 'path_normalization_failed' },
    { requestsRouted: 0, failedPathNormalizations: 1, redirectedPaths: 0 },
  ],
  [
    'GET /a%2fb',
    { code: 307, flags: '-', details: 'path_normalization_failed' },
    { requestsRouted: 0, failedPathNormalizations: 0, redirectedPaths: 1 },
  ],
  [
    'OPTIONS *',
    { code: 404, flags: '-', details: 'absolute_path_rejected' },
    { requestsRouted: 0, nonRelativePaths: 1 },
  ],
];

describe('counts and logs as Envoy does', () => {
  for (const [line, finished, counts] of cases) {
    test(line, async (t) => {
      const path = { normalizes: true, mergesSlashes: false, escapedSlashes: EscapedSlashes.redirect };
      const proxy = await startProxy({ ports: [], routes, rules: { path } });
      const client = new RawClient(proxy.port);
      t.after(async () => {
        client.close();
        await proxy.close();
      });
      client.write(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.until((text) => text.includes('\r\n\r\n'));
      assert.deepEqual(proxy.finished, [finished]);
      assert.equal(proxy.downstream.requestsTotal.value, 1);
      for (const [name, value] of Object.entries(counts)) {
        const counter = proxy.downstream[name as keyof Counts] as { readonly value: number };
        assert.equal(counter.value, value, name);
      }
    });
  }
});

test('says in the log how a connection failed, in one word', () => {
  const refused = connectFailure({ kind: 'connect-failed', detail: 'connection refused' });
  assert.equal(
    refused.details,
    'upstream_reset_before_response_started{remote_connection_failure|connection_refused}',
  );
  assert.match(
    refused.body,
    /reset reason: remote connection failure, transport failure reason: connection refused$/,
  );
  const late = connectFailure({ kind: 'connect-timeout', detail: 'no connection within 1 s' });
  assert.equal(late.flag, 'UF');
  assert.equal(
    late.details,
    'upstream_reset_before_response_started{connection_timeout|no_connection_within_1_s}',
  );
});

test('a route does not see what its client may not say', async (t) => {
  const header = (name: string): Route =>
    Route.fromPartial({
      match: {
        ...match('/')!,
        headers: [{ name, headerMatchSpecifier: { $case: 'presentMatch', value: true } }],
      },
      action: { $case: 'directResponse', value: { status: 203 } },
    });
  const proxy = await startProxy({
    ports: [],
    routes: ['x-envoy-internal', 'x-envoy-force-trace', 'x-envoy-retry-on'].map(header),
  });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
  });
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nx-envoy-internal: true\r\nx-envoy-force-trace: 1\r\nx-envoy-retry-on: 5xx\r\n\r\n',
  );
  await client.until((text) => text.includes('\r\n\r\n'));
  assert.equal(proxy.finished[0]?.details, 'route_not_found');
});

test('a route sees what the listener adds', async (t) => {
  const proxy = await startProxy({
    ports: [],
    routes: [
      Route.fromPartial({
        match: {
          ...match('/')!,
          headers: [
            { name: 'x-request-id', headerMatchSpecifier: { $case: 'presentMatch', value: true } },
            {
              name: 'x-forwarded-proto',
              headerMatchSpecifier: {
                $case: 'stringMatch',
                value: { matchPattern: { $case: 'exact', value: 'http' } },
              },
            },
          ],
        },
        action: { $case: 'directResponse', value: { status: 203 } },
      }),
    ],
  });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until((text) => text.includes('\r\n\r\n'));
  assert.equal(proxy.finished[0]?.code, 203);
});
