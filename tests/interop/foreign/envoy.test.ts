// Real Envoy as the data plane of workloads: started by `heddle run --proxy envoy`, in a mesh with Heddle's own sidecars.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { descendantsOf, eventually, findEnvoy, skipWithout, startTcpServer } from '@heddle/testkit';
import type { TrafficResponse } from '@heddle/control-plane';
import { type ClientWorkload, Mesh, type Workload } from '../../e2e/support/mesh.ts';
import { send } from '../../e2e/support/requests.ts';

const envoy = findEnvoy();
const skip = skipWithout({ envoy });
const flags = ['--proxy', 'envoy', '--envoy', envoy ?? ''];
const node = (...words: string[]): string[] => [process.execPath, ...words];

/** Answers with who it is and what it was sent. */
const echo = `require('node:http').createServer((request, response) => {
  const { url, headers } = request;
  const answer = () => response.end(JSON.stringify({ from: process.argv[1], url, headers }));
  setTimeout(answer, Number(new URL(url, 'http://a').searchParams.get('ms') ?? 0));
}).listen(process.env.PORT, '127.0.0.1')`;

interface Echo {
  readonly from: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function ask(client: ClientWorkload, service: string): Promise<Echo & { readonly status: number }> {
  const { status, body } = await send({ url: `${client.url(service)}/` });
  return { status, ...(status === 200 ? (JSON.parse(body) as Echo) : { from: body, headers: {} }) };
}

/** Who answers, of so many requests. */
async function answers(
  client: ClientWorkload,
  service: string,
  count: number,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < count; index++) {
    const { status, from } = await ask(client, service);
    const name = status === 200 ? from : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function split(first: number): string {
  return JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews' },
    spec: {
      hosts: ['reviews'],
      http: [
        {
          route: [
            { destination: { host: 'reviews', subset: 'v1' }, weight: first },
            { destination: { host: 'reviews', subset: 'v2' }, weight: 100 - first },
          ],
        },
      ],
    },
  });
}

const subsets = JSON.stringify({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'reviews' },
  spec: {
    host: 'reviews',
    subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
  },
});

/** Who alone may call reviews. */
function allow(principal: string): string {
  const principals = [`cluster.local/ns/default/sa/${principal}`];
  return JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'reviews' },
    spec: {
      selector: { matchLabels: { app: 'reviews' } },
      rules: [{ from: [{ source: { principals } }] }],
    },
  });
}

function policy(kind: string, spec: object): string {
  const metadata = { name: 'reviews', namespace: 'default' };
  const selector = { matchLabels: { app: 'reviews' } };
  return JSON.stringify({ apiVersion: 'security.istio.io/v1', kind, metadata, spec: { selector, ...spec } });
}

/** Everything that a policy may ask, about a path that nobody asks for. */
const everything = {
  action: 'DENY',
  rules: [
    {
      from: [
        {
          source: {
            principals: ['*', 'a*', '*a', 'cluster.local/ns/a/sa/b'],
            notNamespaces: ['a', 'b*', '*c'],
            trustDomains: ['cluster.local'],
            ipBlocks: ['10.0.0.0/8', '::1'],
            notRemoteIpBlocks: ['192.0.2.1'],
            requestPrincipals: ['*'],
          },
        },
        { source: { serviceAccounts: ['a', 'b/c'] } },
      ],
      to: [
        {
          operation: {
            hosts: ['a.example', '*.b.example', 'c.*', '*'],
            ports: ['9080', '1'],
            notMethods: ['GET', 'P*'],
            paths: ['/nobody/{*}/asks/{**}', '/for', '/this*', '*either'],
          },
        },
      ],
      when: [
        { key: 'request.headers[X-Any]', values: ['*', 'a*'], notValues: ['b'] },
        { key: 'destination.ip', notValues: ['192.0.2.0/24'] },
        { key: 'connection.sni', values: ['*', 'a'] },
        { key: 'source.serviceAccount', notValues: ['a'] },
      ],
    },
  ],
};

/** Of reviews one instance is Envoy's, the other a sidecar's: both let in and refuse whom policies say. */
async function policiesHold(mesh: Mesh, clients: readonly ClientWorkload[]): Promise<void> {
  const becomes = async (kind: string, spec: object, expected: string): Promise<void> => {
    await mesh.apply(policy(kind, spec));
    await mesh.synced(5);
    // What connections to Envoy that there are already bring goes by what held before, until they are drained.
    await eventually(`${JSON.stringify(spec)} makes it ${expected}`, async () => {
      const counts = await Promise.all(clients.map((client) => answers(client, 'reviews', 2)));
      return counts.every((count) => count[expected] === 2);
    });
  };
  const from = (account: string) => ({
    rules: [{ from: [{ source: { principals: [`cluster.local/ns/default/sa/${account}`] } }] }],
  });
  for (const [weight, who] of [
    [100, 'one'],
    [0, 'two'],
  ] as const) {
    await mesh.apply(split(weight));
    await becomes('AuthorizationPolicy', from('stranger'), '403');
    await becomes('AuthorizationPolicy', from('client'), who);
    await becomes('AuthorizationPolicy', everything, who);
    // Callers go by it, whoever they are, and show nothing by which they are known.
    await becomes('PeerAuthentication', { mtls: { mode: 'DISABLE' } }, who);
    await becomes('AuthorizationPolicy', from('client'), '403');
    await becomes('PeerAuthentication', { mtls: { mode: 'PERMISSIVE' } }, who);
    await becomes('PeerAuthentication', { mtls: { mode: 'STRICT' } }, who);
    await becomes('AuthorizationPolicy', { rules: [{}] }, who);
  }
  await mesh.apply(split(100));
  await mesh.synced(5);
}

/** A script for whatever comes in at Envoys. */
function lua(name: string, body: string): string {
  const filter = { name: 'envoy.filters.network.http_connection_manager' };
  const source = { inline_string: `function ${name}(handle) ${body} end` };
  const type = 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua';
  const value = { name: 'lua', typed_config: { '@type': type, default_source_code: source } };
  return JSON.stringify({
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'lua' },
    spec: {
      configPatches: [
        {
          applyTo: 'HTTP_FILTER',
          match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { filter } } },
          patch: { operation: 'INSERT_FIRST', value },
        },
      ],
    },
  });
}

const envoyOf = ({ run }: Workload): number =>
  descendantsOf(run.pid).find(({ command }) => command.startsWith(envoy ?? '?'))?.pid ?? 0;

test('Envoys and sidecars carry each other traffic, over every change', { skip }, async () => {
  await using mesh = await Mesh.start();
  const [byEnvoy, bySidecar, first, second] = await Promise.all([
    mesh.client(['reviews:9080', 'ratings:9080'], flags),
    mesh.client(['reviews:9080', 'ratings:9080']),
    mesh.publish('reviews', node('-e', echo, 'one'), { version: 'v1', flags }),
    mesh.publish('reviews', node('-e', echo, 'two'), { version: 'v2' }),
    mesh.publish('ratings', node('-e', echo, 'ratings')),
  ]);
  await mesh.synced(5);
  for (const workload of [byEnvoy, first]) assert.notEqual(envoyOf(workload), 0);

  // By mTLS, both ways: the certificate that was shown is told to the application.
  const identity = (name: string): string => `spiffe://cluster.local/ns/default/sa/${name}`;
  for (const client of [byEnvoy, bySidecar]) {
    assert.deepEqual(Object.keys(await answers(client, 'reviews', 6)).sort(), ['one', 'two']);
    const { headers } = await ask(client, 'ratings');
    assert.match(headers['x-forwarded-client-cert'] ?? '', new RegExp(`URI=${identity('client')}`));
  }
  const plain = await send({ url: 'http://ratings:9080/', proxy: byEnvoy.proxy });
  assert.equal(plain.status, 200);

  await mesh.apply(subsets);
  for (const [weight, who] of [
    [100, 'one'],
    [0, 'two'],
  ] as const) {
    await mesh.apply(split(weight));
    await mesh.synced(5);
    for (const client of [byEnvoy, bySidecar])
      assert.deepEqual(await answers(client, 'reviews', 5), { [who]: 5 });
  }
  await mesh.apply(split(100));
  await mesh.synced(5);

  await policiesHold(mesh, [byEnvoy, bySidecar]);

  // Envoys say how many requests came. Those before went to the other instance, at most.
  await answers(byEnvoy, 'reviews', 60);
  await eventually('they are counted', async () => {
    const { services } = await mesh.api<TrafficResponse>('traffic?seconds=60');
    const requests = services.find(({ service }) => service === 'reviews')?.requests ?? [];
    return requests.reduce((sum, count) => sum + count, 0) > 60;
  });

  // Withdrawn while a request runs, which ends in peace; nobody is sent to it any more.
  const slow = send({ url: `${bySidecar.url('reviews')}/?ms=1500` });
  await mesh.apply(split(50));
  await mesh.synced(5);
  first.run.kill('SIGTERM');
  assert.equal((await slow).status, 200);
  await first.run.ended();
  await mesh.synced(4);
  assert.equal(envoyOf(first), 0);
  const third = await mesh.publish('reviews', node('-e', echo, 'three'), { version: 'v1', flags });
  await mesh.synced(5);
  await mesh.apply(split(100));
  await mesh.synced(5);
  for (const client of [byEnvoy, bySidecar])
    assert.deepEqual(await answers(client, 'reviews', 4), { three: 4 });

  // Envoy decides about callers as a sidecar does.
  for (const [principal, status] of [
    ['nobody', 403],
    ['client', 200],
  ] as const) {
    await mesh.apply(allow(principal));
    await mesh.synced(5);
    for (const client of [byEnvoy, bySidecar])
      await eventually(`${principal} may call`, async () => (await ask(client, 'reviews')).status === status);
  }

  // An EnvoyFilter is Envoy's, whatever filter it brings.
  await mesh.apply(lua('envoy_on_response', 'handle:headers():add("x-lua", "was here")'));
  await mesh.synced(5);
  const isSigned = async (client: ClientWorkload, service: string): Promise<boolean> =>
    (await send({ url: `${client.url(service)}/` })).headers['x-lua'] === 'was here';
  await eventually('the filter runs', async () => await isSigned(bySidecar, 'reviews'));
  assert.equal(await isSigned(bySidecar, 'ratings'), false);

  // A crash of Envoy is one of the sidecar: started again, published again.
  const crashed = envoyOf(third);
  process.kill(crashed, 'SIGKILL');
  await eventually('Envoy is there again', () => ![0, crashed].includes(envoyOf(third)));
  await eventually('and serves', async () => (await ask(bySidecar, 'reviews')).from === 'three');

  // The control plane comes back under the same address: streams are opened again, and changes arrive.
  await mesh.killControlPlane();
  assert.deepEqual(await answers(byEnvoy, 'reviews', 3), { three: 3 });
  await mesh.startControlPlane();
  await mesh.synced(5);
  await mesh.apply(split(0));
  await mesh.synced(5);
  for (const client of [byEnvoy, bySidecar])
    assert.deepEqual(await answers(client, 'reviews', 4), { two: 4 });
  for (const { rejected } of await mesh.proxies()) assert.deepEqual(rejected, []);
  for (const { run } of [byEnvoy, third, second]) assert.doesNotMatch(run.output, /refused/);
});

test(
  'TCP services and hosts outside of the mesh are reached through Envoy, and an Envoy’s by a sidecar',
  { skip },
  async () => {
    await using mesh = await Mesh.start();
    await using outside = await startTcpServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\noutside'),
    );
    const upper = `require('node:net').createServer((socket) => {
    socket.on('data', (data) => socket.write(process.argv[1] + ' ' + data));
  }).listen(process.env.PORT, '127.0.0.1')`;
    const tcp = ['--protocol', 'tcp'];
    const [byEnvoy, bySidecar] = await Promise.all([
      mesh.client(['one:6379', 'two:6379'], flags),
      mesh.client(['one:6379', 'two:6379']),
      mesh.publish('one', node('-e', upper, 'one'), { port: 6379, flags: [...flags, ...tcp] }),
      mesh.publish('two', node('-e', upper, 'two'), { port: 6379, flags: tcp }),
    ]);
    await mesh.synced(4);
    for (const client of [byEnvoy, bySidecar]) {
      for (const name of ['one', 'two']) {
        const socket = connect(Number(new URL(client.url(name)).port), '127.0.0.1');
        socket.write('hello');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        assert.equal(answer.toString(), `${name} hello`);
        socket.destroy();
      }
      const answer = await send({ url: `http://127.0.0.1:${outside.port}/`, proxy: client.proxy });
      assert.deepEqual([answer.status, answer.body], [200, 'outside']);
    }
    for (const { rejected } of await mesh.proxies()) assert.deepEqual(rejected, []);
  },
);
