// What Envoy does with the same requests is in tests/differential.
import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { routedHttpChain, socketAddress, staticCluster, typed } from '../../listener/test-proxy.ts';
import { type World, virtualWorld } from '../../listener/test-worlds.ts';

const corsName = 'envoy.filters.http.cors';
const rbacName = 'envoy.filters.http.rbac';
const policy = (config: object, name = corsName): object => ({
  typed_per_filter_config: { [name]: typed('filters.http.cors.v3.CorsPolicy', config) },
});
const cors = { name: corsName, typed_config: typed('filters.http.cors.v3.Cors') };
const router = { name: 'envoy.filters.http.router', typed_config: typed('filters.http.router.v3.Router') };
const denyAll = {
  name: rbacName,
  typed_config: typed('filters.http.rbac.v3.RBAC', {
    rules: {
      action: 'DENY',
      policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } },
    },
  }),
};
const ownFields = 'access-control-allow-origin: app\r\naccess-control-expose-headers: app\r\n';

interface Setup {
  /** Says its policies. */
  readonly host?: object;
  readonly route?: object;
  readonly filters?: readonly object[];
}

async function load(world: World, { host, route, filters = [cors, router] }: Setup): Promise<string[]> {
  const backend = await world.backend(({ connection, handler }) => {
    handler.onBytes = () => {
      // It comes in pieces.
      if (!handler.received.toString('latin1').endsWith('\r\n\r\n')) return;
      connection.writeLatin1(`HTTP/1.1 200 OK\r\n${ownFields}content-length: 3\r\n\r\napp`);
    };
  });
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'be' }, ...route }];
  const manager = {
    http_filters: filters,
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes, ...host }] },
  };
  const address = socketAddress(world.proxyHost, 8001);
  return await world.proxy.apply({
    listeners: [{ name: 'here', address, filter_chains: [routedHttpChain('be', {}, manager)] }],
    clusters: [staticCluster('be', world.serverHost, [backend.port])],
  });
}

/** The answers to requests over one connection, each of one write; without what every answer has. */
async function ask(t: TestContext, setup: Setup, ...requests: readonly string[]): Promise<string[]> {
  const world = virtualWorld(t);
  assert.deepEqual(await load(world, setup), []);
  const { connection, handler } = world.connect(8001);
  const answers: string[] = [];
  let read = 0;
  for (const request of requests) {
    connection.writeLatin1(`${request}\r\n\r\n`);
    await world.virtual!.advanceAsync(100);
    const text = handler.received.toString('latin1').slice(read);
    read += text.length;
    const lines = text.split('\r\n').filter((line) => /^(HTTP|access-control)|^app$/.test(line));
    answers.push(lines.join('; '));
  }
  return answers;
}

const get = 'GET / HTTP/1.1\r\nhost: a\r\norigin: http://a';
const preflight = 'OPTIONS / HTTP/1.1\r\nhost: a\r\norigin: http://a\r\naccess-control-request-method: GET';
const from = (origin: string): object => ({ allow_origin_string_match: [{ exact: origin }] });
const passedOn = 'HTTP/1.1 200 OK; access-control-allow-origin: app; access-control-expose-headers: app; app';

describe('the CORS filter', () => {
  test('answers what a browser asks, and says in answers who may read them', async (t) => {
    const route = policy({
      ...from('http://a'),
      allow_methods: 'GET',
      allow_headers: 'x-a',
      expose_headers: 'x-e',
      max_age: '9',
      allow_credentials: true,
    });
    const plain = 'GET / HTTP/1.1\r\nhost: a';
    assert.deepEqual(await ask(t, { route }, preflight, get, plain, get), [
      'HTTP/1.1 200 OK; access-control-allow-origin: http://a; access-control-allow-credentials: true; ' +
        'access-control-allow-methods: GET; access-control-allow-headers: x-a; access-control-max-age: 9; ' +
        'access-control-expose-headers: x-e',
      'HTTP/1.1 200 OK; access-control-allow-origin: http://a; access-control-allow-credentials: true; ' +
        'access-control-expose-headers: x-e; app',
      passedOn,
      'HTTP/1.1 200 OK; access-control-allow-origin: http://a; access-control-allow-credentials: true; ' +
        'access-control-expose-headers: x-e; app',
    ]);
  });

  test('leaves alone what other origins ask, two at once, and what no policy is about', async (t) => {
    const twice = `${get}\r\norigin: http://a`;
    assert.deepEqual(await ask(t, { route: policy(from('http://b')) }, get, preflight), [passedOn, passedOn]);
    assert.deepEqual(await ask(t, { route: policy(from('http://a')) }, twice), [passedOn]);
    assert.deepEqual(await ask(t, {}, get, preflight), [passedOn, passedOn]);
  });

  test('takes from outer levels what the inner one says nothing of', async (t) => {
    const setup = {
      host: policy({ ...from('http://b'), allow_methods: 'GET', allow_credentials: true }),
      route: policy({ ...from('http://a'), allow_credentials: false }),
    };
    assert.deepEqual(await ask(t, setup, preflight), [
      'HTTP/1.1 200 OK; access-control-allow-origin: http://a; access-control-allow-methods: GET',
    ]);
  });

  test('lets also a denial be read', async (t) => {
    const setup = { route: policy(from('http://a')), filters: [cors, denyAll, router] };
    assert.deepEqual(await ask(t, setup, get), [
      'HTTP/1.1 403 Forbidden; access-control-allow-origin: http://a',
    ]);
  });

  test('has a policy under the name of another filter switch nothing off', async (t) => {
    const setup = { route: policy(from('http://a'), rbacName), filters: [denyAll, router] };
    assert.deepEqual(await ask(t, setup, get), ['HTTP/1.1 403 Forbidden']);
  });

  test('takes no policy that cannot be written into a response', async (t) => {
    const problems = await load(virtualWorld(t), {
      route: policy({ allow_methods: 'GET\r\nset-cookie: a=b', filter_enabled: {} }),
    });
    assert.equal(problems.length, 2);
    assert.match(problems[0]!, /\[envoy\.filters\.http\.cors\]\.allow_methods: is no value of a header/);
    assert.match(problems[1]!, /filter_enabled\.default_value: needs a numerator/);
  });

  test('lets a WebSocket go its way, and the next connection its own', async (t) => {
    const world = virtualWorld(t);
    const backend = await world.backend(({ connection, handler }) => {
      handler.onBytes = () => {
        // It comes in pieces.
        const head = handler.received.toString('latin1');
        if (!head.endsWith('\r\n\r\n')) return;
        connection.writeLatin1(
          head.includes('upgrade: websocket')
            ? 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
            : 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\napp',
        );
      };
    });
    const route = { match: { prefix: '/' }, route: { cluster: 'be' }, ...policy(from('http://a')) };
    const manager = {
      http_filters: [cors, router],
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    };
    await world.proxy.load({
      listeners: [
        {
          name: 'here',
          address: socketAddress(world.proxyHost, 8001),
          filter_chains: [routedHttpChain('be', {}, manager)],
        },
      ],
      clusters: [staticCluster('be', world.serverHost, [backend.port])],
    });
    const first = world.connect(8001);
    first.connection.writeLatin1(`${get}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`);
    await world.until('it is upgraded', () => first.handler.received.includes('\r\n\r\n'));
    assert.match(
      first.handler.received.toString(),
      /^HTTP\/1.1 101 [^]*access-control-allow-origin: http:\/\/a\r\n/,
    );
    first.connection.destroy();
    await world.virtual!.advanceAsync(100);
    const second = world.connect(8001);
    second.connection.writeLatin1('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await world.until('it is answered', () => second.handler.received.includes('app'));
    assert.doesNotMatch(second.handler.received.toString(), /access-control/);
  });

  test('a share of the requests is enough', async (t) => {
    const share = (numerator: number): object => ({ default_value: { numerator } });
    const route = policy({ ...from('http://a'), filter_enabled: share(50) });
    const answers = await ask(t, { route }, ...Array.from({ length: 40 }, () => get));
    const shared = answers.filter((answer) => answer.includes('http://a')).length;
    assert.ok(shared > 5 && shared < 35, `${shared} of 40`);
  });
});
