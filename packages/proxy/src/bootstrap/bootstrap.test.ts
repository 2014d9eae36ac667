import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatProblem, systemClock, systemRandom, TimerWheel } from '@heddle/base';
import { silentResolver } from '../dns/name-resolver.ts';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { MetricRegistry } from '@heddle/telemetry';
import { ConfigStore } from '../config/config-store.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import { testRequest } from '../routing/request-view-harness.ts';
import { applyBootstrap, NoSubscriber, readBootstrap } from './bootstrap.ts';
import { keysOf, type ParsedFile } from './problem-place.ts';

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': type('filters.http.router.v3.Router') },
};
const manager = {
  '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
  stat_prefix: 'in',
  generate_request_id: true,
  route_config: {
    virtual_hosts: [
      { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'be' } }] },
    ],
  },
  http_filters: [router],
};
const filter = (config: object) => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: config,
});
const http = { name: 'http', address: address(9105), filter_chains: [{ filters: [filter(manager)] }] };
const backend = {
  name: 'be',
  type: 'STATIC',
  connect_timeout: '5s',
  load_assignment: {
    cluster_name: 'be',
    endpoints: [{ lb_endpoints: [{ endpoint: { address: address(9000) } }] }],
  },
};
const good = {
  admin: { address: address(9190) },
  static_resources: { listeners: [http], clusters: [backend] },
};

/** A file whose places are the positions of keys in a list: line = how many keys lead there. */
function parsed(value: unknown): ParsedFile {
  return {
    file: 'envoy.yaml',
    value,
    locate: (keys) => ({ line: keys.length, column: 1 + String(keys.at(-1)).length }),
  };
}

interface Loaded {
  readonly problems: readonly string[];
  readonly listeners: readonly ListenerConfig<EndpointPool>[];
  readonly isWarm: boolean;
  readonly store: ConfigStore<EndpointPool>;
  readonly source: WeakRef<ParsedFile>;
}

function load(value: unknown): Loaded {
  const subscriber = new NoSubscriber();
  const listeners: ListenerConfig<EndpointPool>[] = [];
  const store = new ConfigStore<EndpointPool>({
    random: systemRandom,
    clock: systemClock,
    timers: new TimerWheel(systemClock),
    resolver: silentResolver,
    metrics: new MetricRegistry(),
    createPool: () => ({ close: () => {}, dropConnections: () => {} }),
    observer: {
      subscribe: (typeUrl, names) => subscriber.subscribe(typeUrl, names),
      unsubscribe: () => {},
      onListenerChanged: (listener) => listeners.push(listener),
      onDnsListenerChanged: () => undefined,
      onDnsListenerRemoved: () => undefined,
      onListenerRemoved: () => {},
      onClusterChanged: () => undefined,
      onTrustBundleChanged: () => {},
      onCommitted: () => {},
    },
  });
  const source = parsed(value);
  const config = readBootstrap(source);
  const problems = config.ok ? applyBootstrap(config.value, store, subscriber, source) : config.error;
  return {
    problems: problems.map(formatProblem),
    listeners,
    isWarm: store.isWarm,
    store,
    source: new WeakRef(source),
  };
}

test('a file with one HTTP listener serves', () => {
  const { problems, listeners, isWarm } = load(good);
  assert.deepEqual(problems, []);
  assert.equal(isWarm, true);
  const [listener] = listeners;
  assert.equal(listener?.name, 'http');
  assert.deepEqual(listener.address, { host: '127.0.0.1', port: 9105 });
  const filter = listener.filterChains[0]?.filter;
  assert.equal(filter?.kind, 'http');
  const cluster = filter.routes.current?.match(testRequest(), systemRandom)?.cluster?.get();
  assert.equal(cluster?.pick(systemRandom, 'x')?.address, '127.0.0.1:9000');
});

test('nothing of the parsed file outlives the start', async () => {
  const { store, source } = load(good);
  // What a WeakRef was made for stays until the turn is over.
  await setImmediate();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  assert.equal(source.deref(), undefined);
  assert.equal(store.routes.isCluster?.('be'), true);
});

test('says where the admin interface listens', () => {
  const config = readBootstrap(parsed(good));
  assert.ok(config.ok);
  assert.deepEqual(config.value.admin, { host: '127.0.0.1', port: 9190 });
  const without = readBootstrap(parsed({ static_resources: good.static_resources }));
  assert.ok(without.ok);
  assert.equal(without.value.admin, null);
});

test('a listener without a name has that of its address', () => {
  const { problems, listeners } = load({
    static_resources: { listeners: [{ ...http, name: '' }], clusters: [backend] },
  });
  assert.deepEqual(problems, []);
  assert.equal(listeners[0]?.name, '127.0.0.1:9105');
});

test('a file without listeners is refused', () => {
  assert.deepEqual(load({}).problems, [
    'envoy.yaml: error HEDDLE_XDS_INVALID_VALUE: static_resources.listeners: there is nothing to listen on',
  ]);
});

function problemOf(change: { listeners?: object[]; clusters?: object[]; top?: object }): readonly string[] {
  return load({
    ...change.top,
    static_resources: { listeners: change.listeners ?? [http], clusters: change.clusters ?? [backend] },
  }).problems;
}

test('refuses what it does not do with file, line, column and path', () => {
  const redis = {
    name: 'redis',
    address: address(9405),
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.redis_proxy',
            typed_config: {
              '@type': type('filters.network.redis_proxy.v3.RedisProxy'),
              stat_prefix: 'redis',
            },
          },
        ],
      },
    ],
  };
  const [problem, ...others] = problemOf({ listeners: [http, redis] });
  assert.deepEqual(others, []);
  assert.match(
    problem ?? '',
    /^envoy\.yaml:8:13: error HEDDLE_XDS_UNSUPPORTED_TYPE: static_resources\.listeners\[1\]\.filter_chains\[0\]\.filters\[0\]\.typed_config: .*RedisProxy.*not supported/,
  );
});

test('names the file that a certificate should be in and is not', () => {
  const chain = {
    ...http.filter_chains[0],
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
        common_tls_context: {
          tls_certificates: [
            { certificate_chain: { filename: 'cert.pem' }, private_key: { filename: 'key.pem' } },
          ],
        },
      },
    },
  };
  const problems = problemOf({ listeners: [{ ...http, filter_chains: [chain] }] });
  assert.equal(problems.length, 2);
  assert.match(
    problems[0] ?? '',
    /^envoy\.yaml:12:\d+: .*listeners\[0\]\.filter_chains\[0\]\.transport_socket\.typed_config\.common_tls_context\.tls_certificates\[0\]\.certificate_chain\.filename: "cert\.pem" can't be read: there is no such file/,
  );
});

test('takes secrets from the file itself, and says which are not there', () => {
  const root = makeRoot('cluster.local');
  const leaf = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/web');
  const certificate = {
    name: 'web',
    tls_certificate: {
      certificate_chain: { inline_string: leaf.pem },
      private_key: { inline_string: leaf.keyPem },
    },
  };
  const chain = {
    ...http.filter_chains[0],
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
        common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'web' }] },
      },
    },
  };
  const listeners = [{ ...http, filter_chains: [chain] }];
  const loaded = load({ static_resources: { listeners, clusters: [backend], secrets: [certificate] } });
  assert.deepEqual(loaded.problems, []);
  const [source] = loaded.listeners[0]!.filterChains[0]!.tls!.certificates;
  assert.ok(source?.kind === 'static');
  assert.equal(source.certificate.certificateChain, leaf.pem);
  assert.doesNotMatch(JSON.stringify(loaded.listeners[0]!.filterChains[0]!.tls), /BEGIN/);
  const [missing] = load({ static_resources: { listeners, clusters: [backend] } }).problems;
  assert.match(
    missing ?? '',
    /tls_certificate_sds_secret_configs\[0\]\.name: there is no static secret "web"/,
  );
});

test('reports the problems of all resources', () => {
  const problems = problemOf({
    listeners: [{ ...http, tcp_backlog_size: 5 }],
    clusters: [
      { ...backend, lb_policy: 'LOAD_BALANCING_POLICY_CONFIG' },
      { ...backend, name: 'other', lb_policy: 'LOAD_BALANCING_POLICY_CONFIG' },
    ],
  });
  assert.deepEqual(
    problems.map((text) => text.replace(/^envoy\.yaml:\d+:\d+: error /, '')),
    [
      'HEDDLE_XDS_UNSUPPORTED_FIELD: static_resources.clusters[0].lb_policy: LOAD_BALANCING_POLICY_CONFIG is not supported yet',
      'HEDDLE_XDS_UNSUPPORTED_FIELD: static_resources.clusters[1].lb_policy: LOAD_BALANCING_POLICY_CONFIG is not supported yet',
      'HEDDLE_XDS_UNSUPPORTED_FIELD: static_resources.listeners[0].tcp_backlog_size: is not supported yet',
    ],
  );
});

test('refuses what would have to come by xDS', () => {
  const eds = { name: 'be', type: 'EDS', eds_cluster_config: { eds_config: { ads: {} } } };
  const [first, second] = problemOf({ clusters: [eds], top: {} });
  assert.match(first ?? '', /static_resources\.clusters\[0\]: getting be by xDS is not supported yet/);
  assert.equal(second, undefined);
  assert.match(
    problemOf({ top: { dynamic_resources: { cds_config: { ads: {} } } } })[0] ?? '',
    /dynamic_resources: is not supported yet/,
  );
});

test('refuses two resources with one name', () => {
  assert.match(
    problemOf({ clusters: [backend, backend] })[0] ?? '',
    /static_resources\.clusters\[1\]\.name: there is another one/,
  );
});

const withRoute = (route: object, more: object = {}): { listeners: object[]; clusters: object[] } => {
  const virtualHosts = [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route }] }];
  const changed = { ...manager, route_config: { virtual_hosts: virtualHosts, ...more } };
  return { listeners: [{ ...http, filter_chains: [{ filters: [filter(changed)] }] }], clusters: [backend] };
};

test('refuses routes to clusters that the file does not have, unless it says not to', () => {
  const place =
    'static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0]';
  const [single = '', ...others] = problemOf(withRoute({ cluster: 'x' }));
  assert.ok(single.includes(`${place}.routes[0].route.cluster: there is no cluster "x"`), single);
  assert.deepEqual(others, []);
  const weighted = {
    weighted_clusters: {
      clusters: [
        { name: 'be', weight: 1 },
        { name: 'y', weight: 0 },
      ],
    },
  };
  const [share = ''] = problemOf(withRoute(weighted, { validate_clusters: true }));
  assert.ok(share.includes('weighted_clusters.clusters[1].name: there is no cluster "y"'), share);
  assert.deepEqual(problemOf(withRoute({ cluster: 'x' }, { validate_clusters: false })), []);
});

test('refuses two listeners on one address, however it is spelled', () => {
  const at = (name: string, host: string, port: number) => ({
    ...http,
    name,
    address: { socket_address: { address: host, port_value: port } },
  });
  const problems = (...listeners: object[]): readonly string[] =>
    problemOf({ listeners, clusters: [backend] });
  const [problem] = problems(at('a', '::1', 9105), at('b', '0:0::1', 9105));
  assert.match(problem ?? '', /listeners\[1\]\.address: duplicate address: the listener a has it already/);
  assert.deepEqual(problems(at('a', '127.0.0.1', 9105), at('b', '0.0.0.0', 9105)), []);
  assert.deepEqual(problems(at('a', '127.0.0.1', 0), at('b', '127.0.0.1', 0)), []);
});

test('an unknown field is refused with the nearest name', () => {
  assert.match(
    problemOf({ listeners: [{ ...http, adress: {} }] })[0] ?? '',
    /^envoy\.yaml:4:7: .*adress.*[Dd]id you mean 'address'/,
  );
});

test('finds the keys that a path stands for, in either case and with dots in them', () => {
  const value = {
    static_resources: {
      clusters: [{ typedExtensionProtocolOptions: { 'envoy.a.B': { x: 1 } }, connectTimeout: 1 }],
    },
  };
  assert.deepEqual(keysOf('static_resources.clusters[0].connect_timeout', value), [
    'static_resources',
    'clusters',
    0,
    'connectTimeout',
  ]);
  for (const path of ['envoy.a.B', '[envoy.a.B]']) {
    const full = `static_resources.clusters[0].typed_extension_protocol_options${path.startsWith('[') ? path : `.${path}`}.x.y`;
    assert.deepEqual(keysOf(full, value), [
      'static_resources',
      'clusters',
      0,
      'typedExtensionProtocolOptions',
      'envoy.a.B',
      'x',
    ]);
  }
  assert.deepEqual(keysOf('static_resources.clusters[7].name', value), ['static_resources', 'clusters']);
  assert.deepEqual(keysOf('', value), []);
});
