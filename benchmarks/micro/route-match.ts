// What routing one request costs, with one virtual host and with a mesh's thousand.
// Run: node benchmarks/micro/route-match.ts
import { systemRandom } from '@heddle/base';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { bench, run } from './harness.ts';
import { compileRouteTable } from '../../packages/proxy/src/routing/compile-route-table.ts';
import type { RequestView } from '../../packages/proxy/src/routing/request-view.ts';
import type { RouteTable } from '../../packages/proxy/src/routing/route-table.ts';

function compile(config: Parameters<typeof RouteConfiguration.fromPartial>[0]): RouteTable<string> {
  const table = compileRouteTable(RouteConfiguration.fromPartial(config), (name) => name);
  if (!table.ok) throw new Error(JSON.stringify(table.error));
  return table.value;
}

const prefix = { pathSpecifier: { $case: 'prefix', value: '/' } } as const;

function toCluster(value: string) {
  return { $case: 'route', value: { clusterSpecifier: { $case: 'cluster', value } } } as const;
}

const one = compile({
  virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: prefix, action: toCluster('be') }] }],
});

const thousand = compile({
  virtualHosts: Array.from({ length: 1000 }, (_, i) => {
    const service = `service-${i}`;
    const host = `${service}.default.svc.cluster.local`;
    return {
      name: `${host}:9080`,
      domains: [
        service,
        `${service}:9080`,
        `${service}.default`,
        `${service}.default:9080`,
        host,
        `${host}:9080`,
      ],
      routes: [
        {
          match: {
            ...prefix,
            headers: [
              {
                name: 'end-user',
                headerMatchSpecifier: {
                  $case: 'stringMatch',
                  value: { matchPattern: { $case: 'exact', value: 'jason' } },
                },
              } as const,
            ],
          },
          action: toCluster(`outbound|9080|v2|${host}`),
        },
        {
          match: prefix,
          action: {
            $case: 'route',
            value: {
              clusterSpecifier: {
                $case: 'weightedClusters',
                value: {
                  clusters: [
                    { name: `outbound|9080|v1|${host}`, weight: 80 },
                    { name: `outbound|9080|v2|${host}`, weight: 20 },
                  ],
                },
              },
            },
          } as const,
        },
      ],
    };
  }),
});

/** As the codec has it: the host is a new string for each request. */
function request(path: string, authority: Buffer): RequestView {
  return {
    method: 'GET',
    scheme: 'http',
    path,
    get authority() {
      return authority.toString('latin1');
    },
    header: () => null,
    headerValue: () => null,
  };
}

const anyHost = request('/', Buffer.from('127.0.0.1:9105'));
const withQuery = request('/productpage?u=normal', Buffer.from('127.0.0.1:9105'));
const hosts = Array.from({ length: 8 }, (_, i) =>
  request('/reviews/0', Buffer.from(`service-${i * 100}:9080`)),
);
let next = 0;

bench('one virtual host', () => one.match(anyHost, systemRandom));
bench('one virtual host, path with a query', () => one.match(withQuery, systemRandom));
bench('1,000 virtual hosts, header and weights', () => thousand.match(hosts[next++ & 7]!, systemRandom));

await run();
