import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessLogEntry } from '@heddle/telemetry';
import { defaultCircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import { get, hello, startChain } from './chain-under-test.ts';
import { toBackend } from './proxy-under-test.ts';

const added = [{ header: { key: 'x-added', value: '1' } }];

describe('what a log says of an exchange', () => {
  test("response fields are those that the client gets, the proxy's own among them", async (t) => {
    const logged: (string | null)[] = [];
    const onFinished = (exchange: AccessLogEntry): void => {
      for (const name of ['x-envoy-upstream-service-time', 'server', 'content-length', 'x-added', 'none'])
        logged.push(exchange.responseHeader(name));
      assert.match(exchange.responseHeader('date') ?? '', / GMT$/);
    };
    const routes = [toBackend({}, undefined, { responseHeadersToAdd: added })];
    const { client } = await startChain(t, () => hello, { routes, onFinished });
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.match(logged.shift() ?? '', /^\d+$/);
    assert.deepEqual(logged, ['envoy', '5', '1', null]);
  });

  test('a refusal of the codec counts the body that is sent, and has its fields', async (t) => {
    const sent: unknown[] = [];
    const { client } = await startChain(t, () => hello, {
      onFinished: (exchange) => sent.push(exchange.bytesSent, exchange.responseHeader('content-type')),
    });
    client.write('GET / HTTP/1.1\r\n\r\n');
    const response = await client.untilEnd();
    const body = response.slice(response.indexOf('\r\n\r\n') + 4);
    assert.ok(body.length > 0);
    assert.deepEqual(sent, [body.length, 'text/plain']);
  });

  test('a request that the circuit breaker refused has no upstream', async (t) => {
    const hosts: string[] = [];
    const { client, proxy } = await startChain(t, () => hello, {
      breakerLimits: { ...defaultCircuitBreakerLimits, maxRequests: 0 },
      onFinished: (exchange) => hosts.push(exchange.upstreamHost),
    });
    client.write(get);
    await client.until((text) => text.endsWith('overflow'));
    assert.equal(proxy.finished[0]?.flags, 'UO');
    assert.deepEqual(hosts, ['']);
  });
});

describe('response fields of a route', () => {
  test('are added to and removed from what the proxy answers itself once there is a route', async (t) => {
    const changes = { responseHeadersToAdd: added, responseHeadersToRemove: ['content-type'] };
    const routes = [
      toBackend({}, { pathSpecifier: { $case: 'prefix', value: '/a' } }, changes),
      {
        ...toBackend({}, { pathSpecifier: { $case: 'path', value: '/direct' } }, changes),
        action: {
          $case: 'directResponse' as const,
          value: { status: 200, body: { specifier: { $case: 'inlineString' as const, value: 'hi' } } },
        },
      },
    ];
    const { client } = await startChain(t, () => hello, {
      routes,
      breakerLimits: { ...defaultCircuitBreakerLimits, maxRequests: 0 },
    });
    client.write(get);
    const refused = await client.until((text) => text.endsWith('overflow'));
    assert.match(refused, /^HTTP\/1\.1 503 [^]*\r\nx-added: 1\r\n/);
    assert.match(refused, /\r\ndate: [^]*\r\nserver: envoy\r\n/);
    assert.doesNotMatch(refused, /content-type/);
    client.write('GET /direct HTTP/1.1\r\nHost: a\r\n\r\n');
    const direct = (await client.until((text) => text.endsWith('hi'))).slice(refused.length);
    assert.match(direct, /\r\nx-added: 1\r\n/);
    client.write('GET /none HTTP/1.1\r\nHost: a\r\n\r\n');
    const missing = (await client.until((text) => text.endsWith('path'))).slice(
      refused.length + direct.length,
    );
    assert.match(missing, /^HTTP\/1\.1 404 /);
    assert.doesNotMatch(missing, /x-added/);
  });
});
