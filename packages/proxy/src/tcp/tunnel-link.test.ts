// Two sidecars' ways of passing a TCP connection on, over real TLS: the listener that begins a link, and the one that ends it.
import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { socketAddress, staticCluster, tcpChain, typed } from '../listener/test-proxy.ts';
import { type Backend, type End, type World, socketWorld } from '../listener/test-worlds.ts';

const root = makeRoot('cluster.local');
const names = {
  client: 'spiffe://cluster.local/ns/default/sa/a',
  server: 'spiffe://cluster.local/ns/default/sa/db',
};

function commonTls(name: string, peers: readonly string[], alpn: readonly string[]): object {
  const { pem, keyPem } = makeLeaf(root, name);
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3' },
    tls_certificates: [{ certificate_chain: { inline_string: pem }, private_key: { inline_string: keyPem } }],
    validation_context: {
      trusted_ca: { inline_string: root.pem },
      match_typed_subject_alt_names: peers.map((exact) => ({ san_type: 'URI', matcher: { exact } })),
    },
    ...(alpn.length === 0 ? {} : { alpn_protocols: alpn }),
  };
}

function downstreamTls(alpn: readonly string[]): object {
  const config = { common_tls_context: commonTls(names.server, [], alpn), require_client_certificate: true };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('transport_sockets.tls.v3.DownstreamTlsContext', config),
  };
}

interface Guards {
  readonly http?: readonly object[];
  readonly network?: readonly object[];
}

const router = { name: 'envoy.filters.http.router', typed_config: typed('filters.http.router.v3.Router') };

function tunnelEnd({ http = [] }: Guards): object {
  const connect = [{ upgrade_type: 'CONNECT', connect_config: {} }];
  const route = { match: { connect_matcher: {} }, route: { cluster: 'app', upgrade_configs: connect } };
  const config = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'inbound',
    http2_protocol_options: { allow_connect: true },
    upgrade_configs: [{ upgrade_type: 'CONNECT' }],
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [...http, router],
  });
  return {
    name: 'tunnel',
    filter_chain_match: { transport_protocol: 'tls', application_protocols: ['h2'] },
    filters: [{ name: 'hcm', typed_config: config }],
    transport_socket: downstreamTls(['h2']),
  };
}

function inbound(host: string, guards: Guards): object {
  const plain = tcpChain({ cluster: 'app', stat_prefix: 'plain' }) as { filters: readonly object[] };
  const inspector = typed('filters.listener.tls_inspector.v3.TlsInspector');
  return {
    name: 'in',
    address: socketAddress(host, 0),
    listener_filters: [{ name: 'envoy.filters.listener.tls_inspector', typed_config: inspector }],
    filter_chains: [tunnelEnd(guards)],
    default_filter_chain: {
      name: 'tcp',
      filters: [...(guards.network ?? []), ...plain.filters],
      transport_socket: downstreamTls([]),
    },
  };
}

function link(host: string, port: number, tunnel: string, server: string): object {
  const tls = typed('transport_sockets.tls.v3.UpstreamTlsContext', {
    common_tls_context: commonTls(names.client, [server], []),
  });
  const options = { explicit_http_config: { http2_protocol_options: {} } };
  const endpoint = {
    endpoint: { address: socketAddress(host, port) },
    metadata: { filter_metadata: { 'envoy.transport_socket_match': { tunnel } } },
  };
  return staticCluster('link', host, [], {
    transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: tls },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
        'upstreams.http.v3.HttpProtocolOptions',
        options,
      ),
    },
    load_assignment: { cluster_name: 'link', endpoints: [{ lb_endpoints: [endpoint] }] },
  });
}

const outbound = (host: string): object => ({
  name: 'out',
  address: socketAddress(host, 0),
  filter_chains: [
    tcpChain({ cluster: 'link', stat_prefix: 'out', tunneling_config: { hostname: 'db.prod:5432' } }),
  ],
});

class Link {
  readonly world: World;
  readonly backend: Backend;

  private constructor(world: World, backend: Backend) {
    this.world = world;
    this.backend = backend;
  }

  /** Both listeners in one proxy, with an application behind. */
  static async start(
    t: TestContext,
    tunnel: string,
    guards: Guards = {},
    server = names.server,
  ): Promise<Link> {
    const world = socketWorld(t);
    const backend = await world.backend((end) => end.connection.writeLatin1('hello '));
    const made = new Link(world, backend);
    await made.configure(guards);
    const { proxy, proxyHost } = world;
    await proxy.load({
      listeners: [outbound(proxyHost)],
      clusters: [link(proxyHost, proxy.port('in'), tunnel, server)],
    });
    return made;
  }

  /** The listener that ends the link, as it is in the beginning and as it comes anew. */
  async configure(guards: Guards): Promise<void> {
    const { proxy, proxyHost, serverHost } = this.world;
    const app = staticCluster('app', serverHost, [this.backend.port]);
    await proxy.load({ listeners: [inbound(proxyHost, guards)], clusters: [app] });
  }

  connect(): End {
    return this.world.connect(this.world.proxy.port('out'));
  }

  async hears({ handler }: End, text: string): Promise<void> {
    await this.world.until(`"${text}" is heard`, () => handler.received.toString() === text);
  }

  async isCutOff({ handler }: End): Promise<void> {
    await this.world.until('the client is cut off', () => handler.ends + handler.closes > 0);
  }

  stat(name: string, labels: Readonly<Record<string, string>>): number {
    const family = this.world.proxy.proxy.registry.collect().find((one) => one.name === name);
    if (family === undefined || family.type === 'histogram') return 0;
    return family.samples
      .filter((one) =>
        Object.entries(labels).every((pair) => one.labels.some((is) => is.join() === pair.join())),
      )
      .reduce((sum, { value }) => sum + value, 0);
  }

  get linksMade(): number {
    return this.stat('envoy_cluster_upstream_cx_total', { envoy_cluster_name: 'link' });
  }
}

const denial = {
  action: 'DENY',
  policies: {
    a: {
      permissions: [{ any: true }],
      principals: [{ authenticated: { principal_name: { exact: names.client } } }],
    },
  },
};

function rbac(kind: 'http' | 'network'): object {
  const type = `filters.${kind}.rbac.v3.RBAC`;
  const prefix = kind === 'network' ? { stat_prefix: 'np' } : {};
  return { name: `envoy.filters.${kind}.rbac`, typed_config: typed(type, { rules: denial, ...prefix }) };
}

for (const [tunnel, what, links] of [
  ['h2', 'an endpoint that takes tunnels gets the streams of one link', 1],
  ['none', 'an endpoint that takes none gets connections', 20],
] as const) {
  describe(`tunnel: ${tunnel}`, () => {
    test(what, async (t) => {
      const made = await Link.start(t, tunnel);
      const clients = Array.from({ length: 20 }, () => made.connect());
      for (const client of clients) await made.hears(client, 'hello ');
      assert.equal(made.linksMade, links);
      for (const client of clients) client.connection.writeLatin1('x');
      const { accepted } = made.backend;
      await made.world.until('all are heard', () => accepted.every(({ handler }) => handler.bytes === 1));
      // One side has said all, the other goes on.
      accepted[0]!.connection.end();
      await made.world.until('one client hears the end', () =>
        clients.some(({ handler }) => handler.ends === 1),
      );
      const half = clients.find(({ handler }) => handler.ends === 1)!;
      half.connection.writeLatin1('more');
      half.connection.end();
      await made.world.until('the rest is heard', () => accepted[0]!.handler.received.toString() === 'xmore');
      await made.world.until('the end is heard', () => accepted[0]!.handler.ends === 1);
      const rx = made.stat('envoy_tcp_downstream_cx_rx_bytes_total', { envoy_tcp_prefix: 'out' });
      assert.equal(rx, 24);
    });

    test('what comes at once with the end is there before it', async (t) => {
      const made = await Link.start(t, tunnel);
      for (let count = 0; count < 10; count++) {
        const client = made.connect();
        client.connection.writeLatin1('all of it');
        client.connection.end();
      }
      const { accepted } = made.backend;
      await made.world.until(
        'all have ended',
        () => accepted.length === 10 && accepted.every(({ handler }) => handler.ends === 1),
      );
      assert.deepEqual(
        accepted.map(({ handler }) => handler.received.toString()),
        Array.from({ length: 10 }, () => 'all of it'),
      );
    });

    test('who is denied gets no byte, and the application hears nothing', async (t) => {
      const guards = { http: [rbac('http')], network: [rbac('network')] };
      const made = await Link.start(t, tunnel, guards);
      const client = made.connect();
      client.connection.writeLatin1('let me in');
      await made.isCutOff(client);
      assert.equal(client.handler.bytes, 0);
      assert.equal(made.backend.accepted.length, 0);
    });

    test('a server that is somebody else gets no byte', async (t) => {
      const made = await Link.start(t, tunnel, {}, 'spiffe://cluster.local/ns/default/sa/other');
      const client = made.connect();
      client.connection.writeLatin1('a secret');
      await made.isCutOff(client);
      assert.equal(made.backend.accepted.length, 0);
    });

    test('another certificate and a listener that drains leave what is open alone', async (t) => {
      const made = await Link.start(t, tunnel);
      const before = made.connect();
      await made.hears(before, 'hello ');
      await made.configure({});
      const { proxy, proxyHost } = made.world;
      await proxy.load({
        listeners: [outbound(proxyHost)],
        clusters: [link(proxyHost, proxy.port('in'), tunnel, names.server)],
      });
      const after = made.connect();
      await made.hears(after, 'hello ');
      assert.equal(made.linksMade, 2);
      before.connection.writeLatin1('still');
      const [first] = made.backend.accepted;
      await made.world.until('the old one is heard', () => first!.handler.received.toString() === 'still');
      first!.connection.writeLatin1('there');
      await made.hears(before, 'hello there');
      before.connection.end();
      await made.world.until('its end is heard', () => first!.handler.ends === 1);
    });
  });
}
