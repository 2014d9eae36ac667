// Faults that a configuration injects, on virtual time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryProxy } from '../support/memory-proxy.ts';

type Json = Readonly<Record<string, unknown>>;

const http = 'type.googleapis.com/envoy.extensions.filters.http';
const always = { numerator: 100 };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A proxy with the filter, whose upstream says yes to every request. */
async function start(fault: Json, options: { action?: Json; manager?: Json } = {}): Promise<MemoryProxy> {
  const proxy = await MemoryProxy.start({
    ...options,
    manager: {
      ...options.manager,
      http_filters: [
        {
          name: 'envoy.filters.http.fault',
          typed_config: { '@type': `${http}.fault.v3.HTTPFault`, ...fault },
        },
        { name: 'envoy.filters.http.router', typed_config: { '@type': `${http}.router.v3.Router` } },
      ],
    },
  });
  proxy.serve = (peer) => {
    if (/\r\n\r\n(?:body|0\r\n\r\n)?$|^body$/.test(peer.text)) peer.send(ok);
  };
  return proxy;
}

const get = (fields = ''): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

describe('an aborted request', () => {
  test('gets the status, and never reaches the upstream', async () => {
    await using proxy = closing(await start({ abort: { http_status: 418, percentage: always } }));
    const client = proxy.value.connect();
    client.send(get());
    proxy.value.run();
    assert.match(client.text, /^HTTP\/1\.1 418 [\s\S]*\r\n\r\nfault filter abort$/);
    assert.equal(proxy.value.upstream.length, 0);
    assert.equal(proxy.value.metric('envoy_http_fault_aborts_injected'), 1);
    assert.equal(proxy.value.metric('envoy_http_fault_active_faults'), 0);
  });

  test('is one of so many: none without a percentage', async () => {
    await using proxy = closing(await start({ abort: { http_status: 418 } }));
    const client = proxy.value.connect();
    client.send(get());
    proxy.value.run();
    assert.match(client.text, /^HTTP\/1\.1 200 /);
  });

  test('asks for it itself where that is allowed, up to the share that is', async () => {
    await using proxy = closing(await start({ abort: { header_abort: {}, percentage: always } }));
    for (const [fields, status] of [
      ['x-envoy-fault-abort-request: 503\r\n', 503],
      ['x-envoy-fault-abort-request: 503\r\nx-envoy-fault-abort-request-percentage: 0\r\n', 200],
      ['x-envoy-fault-abort-request: 99\r\n', 200],
      ['x-envoy-fault-abort-grpc-request: 14\r\n', 200],
      ['', 200],
    ] as const) {
      const client = proxy.value.connect();
      client.send(get(fields));
      proxy.value.run();
      assert.match(client.text, new RegExp(`^HTTP/1\\.1 ${status} `), fields);
    }
    assert.equal(proxy.value.metric('envoy_http_fault_aborts_injected'), 2);
  });

  test('is one for the cluster, and with the fields, that the filter names', async () => {
    const abort = { http_status: 503, percentage: always };
    const headers = [{ name: 'x-fault', present_match: true }];
    await using proxy = closing(await start({ abort, upstream_cluster: 'be', headers }));
    await using other = closing(await start({ abort, upstream_cluster: 'other' }));
    const answers = [proxy.value, proxy.value, other.value].map((one, index) => {
      const client = one.connect();
      client.send(get(index === 0 ? 'x-fault: 1\r\n' : ''));
      one.run();
      return client.text.slice(9, 12);
    });
    assert.deepEqual(answers, ['503', '200', '200']);
  });
});

describe('a delayed request', () => {
  const delay = { fixed_delay: '5s', percentage: always };

  test('reaches the upstream when its time has come, body and all', async () => {
    await using proxy = closing(await start({ delay }));
    for (const request of [
      get(),
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    ]) {
      proxy.value.forget();
      const client = proxy.value.connect();
      client.send(request);
      proxy.value.run(4_500);
      assert.equal(client.text + String(proxy.value.upstream.length), '0');
      assert.equal(proxy.value.metric('envoy_http_fault_active_faults'), 1);
      proxy.value.run(1_500);
      assert.match(client.text, /^HTTP\/1\.1 200 /, request);
      assert.equal(proxy.value.upstream[0]!.text.includes('body'), request.includes('body'));
      assert.equal(proxy.value.metric('envoy_http_fault_active_faults'), 0);
    }
    assert.equal(proxy.value.metric('envoy_http_fault_delays_injected'), 3);
  });

  test("has the route's whole timeout afterwards", async () => {
    await using proxy = closing(await start({ delay }, { action: { timeout: '2s' } }));
    proxy.value.serve = () => undefined;
    const client = proxy.value.connect();
    client.send(get());
    proxy.value.run(6_500);
    assert.equal(client.text, '');
    proxy.value.run(2_000);
    assert.match(client.text, /^HTTP\/1\.1 504 /);
  });

  test('may be aborted at its end', async () => {
    const abort = { http_status: 503, percentage: always };
    await using proxy = closing(await start({ delay, abort }));
    const client = proxy.value.connect();
    client.send(get());
    proxy.value.run(6_000);
    assert.match(client.text, /^HTTP\/1\.1 503 [\s\S]*fault filter abort$/);
    assert.equal(proxy.value.upstream.length, 0);
  });

  test('is forgotten when its client goes', async () => {
    await using proxy = closing(await start({ delay }));
    const client = proxy.value.connect();
    client.send(get());
    proxy.value.run(1_000);
    client.reset();
    proxy.value.run(1_000);
    assert.equal(proxy.value.metric('envoy_http_fault_active_faults'), 0);
    proxy.value.run(10_000);
    assert.equal(proxy.value.upstream.length, 0);
  });

  test('is not delayed where too many are already', async () => {
    await using proxy = closing(await start({ delay, max_active_faults: 1 }));
    const [first, second] = [proxy.value.connect(), proxy.value.connect()];
    first.send(get());
    proxy.value.run();
    second.send(get());
    proxy.value.run();
    assert.deepEqual([first.text, second.text.slice(0, 12)], ['', 'HTTP/1.1 200']);
    assert.equal(proxy.value.metric('envoy_http_fault_faults_overflow'), 1);
  });

  test('asks for it itself where that is allowed', async () => {
    await using proxy = closing(await start({ delay: { header_delay: {}, percentage: always } }));
    const client = proxy.value.connect();
    client.send(get('x-envoy-fault-delay-request: 3000\r\n'));
    proxy.value.run(2_900);
    assert.equal(client.text, '');
    proxy.value.run(1_000);
    assert.match(client.text, /^HTTP\/1\.1 200 /);
  });
});

function closing(value: MemoryProxy) {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
