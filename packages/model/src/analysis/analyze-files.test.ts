import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyzeFiles } from './analyze-files.ts';

/** Findings as `code Kind/name path`, without what says only that Heddle lacks something. */
function findings(...objects: readonly object[]): string[] {
  const text = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  return analyzeFiles([{ name: 'f.yaml', text }], { namespace: 'default' })
    .filter(({ problem }) => !['HEDDLE_ENVOY_ONLY', 'HEDDLE_NO_EFFECT_YET'].includes(problem.code))
    .map(({ level, problem: { code, path, line } }) => `${line} ${level} ${code} ${path}`);
}

function networking(kind: string, name: string, spec: object, version = 'v1'): object {
  return { apiVersion: `networking.istio.io/${version}`, kind, metadata: { name }, spec };
}

function service(name: string, ports: readonly object[], selector: object = { app: name }): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports, selector } };
}

function deployment(name: string, labels: object, annotations: object = {}): object {
  const template = { metadata: { labels, annotations } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { template } };
}

const http = { name: 'http', port: 80 };
const app = deployment('app', { app: 'app' });

function gateway(name: string, number: number, hosts: readonly string[]): object {
  const servers = [{ port: { number, name: 'http', protocol: 'HTTP' }, hosts }];
  return networking('Gateway', name, { selector: { app: 'app' }, servers });
}

function entry(name: string, protocol: string, addresses?: readonly string[]): object {
  const ports = [{ number: 5432, name: 'p', protocol }];
  return networking('ServiceEntry', name, { hosts: ['db.example.org'], ports, addresses });
}

function sidecar(name: string, labels?: object): object {
  const chosen = labels === undefined ? {} : { workloadSelector: { labels } };
  return networking('Sidecar', name, { ...chosen, egress: [{ hosts: ['./*'] }] });
}

function filter(applyTo: string, operation: string, more: object = {}): object {
  return networking(
    'EnvoyFilter',
    'f',
    { configPatches: [{ applyTo, patch: { operation } }], ...more },
    'v1alpha3',
  );
}

const route = [{ destination: { host: 'app' } }];

const cases: readonly [what: string, objects: readonly object[], found: readonly string[]][] = [
  ['a service and its workload', [service('app', [http]), app], []],
  ['a port without protocol', [service('app', [{ port: 80 }])], ['1 INFO IST0118 spec.ports[0]']],
  [
    'a subset of which there is no workload',
    [
      service('app', [http]),
      app,
      networking('DestinationRule', 'd', {
        host: 'app',
        subsets: [{ name: 'v2', labels: { version: 'v2' } }],
      }),
    ],
    ['5 WARNING IST0173 spec.subsets[0].labels'],
  ],
  [
    'two services that lead to one port from different ones',
    [
      app,
      service('a', [{ ...http, targetPort: 8080 }], { app: 'app' }),
      service('b', [{ ...http, port: 81, targetPort: 8080 }], { app: 'app' }),
    ],
    ['1 WARNING IST0137 metadata.name'],
  ],
  [
    'TLS without verification',
    [networking('DestinationRule', 'd', { host: 'a.b', trafficPolicy: { tls: { mode: 'SIMPLE' } } })],
    ['1 WARNING IST0128 spec.trafficPolicy.tls'],
  ],
  [
    'TLS with verification',
    [
      networking('DestinationRule', 'd', {
        host: 'a.b',
        trafficPolicy: { tls: { mode: 'SIMPLE', caCertificates: '/ca.pem' } },
      }),
    ],
    [],
  ],
  ['a TCP service without address', [entry('e', 'TCP')], ['1 WARNING IST0134 spec.ports[0]']],
  ['a TCP service with an address', [entry('e', 'TCP', ['10.0.0.1'])], []],
  [
    'two protocols of one port',
    [entry('a', 'HTTP'), entry('b', 'TLS')],
    ['1 WARNING IST0177 spec.ports[0].protocol', '3 WARNING IST0177 spec.ports[0].protocol'],
  ],
  [
    'a gateway at a port that leads nowhere',
    [app, service('app', [http]), gateway('g', 81, ['*'])],
    ['5 WARNING IST0162 spec.servers[0].port.number'],
  ],
  [
    'gateways with the same host',
    [app, service('app', [http]), gateway('g', 80, ['a.b']), gateway('h', 80, ['*.b'])],
    ['5 ERROR IST0145 spec.servers[0]', '7 ERROR IST0145 spec.servers[0]'],
  ],
  [
    'a rule of a gateway that does not serve its host',
    [
      app,
      service('app', [http]),
      gateway('g', 80, ['a.b']),
      networking('VirtualService', 'v', { hosts: ['c.d'], gateways: ['g'], http: [{ route }] }),
    ],
    ['7 WARNING IST0132 spec.gateways[0]'],
  ],
  [
    'a rule of no gateway',
    [
      service('app', [http]),
      networking('VirtualService', 'v', { hosts: ['c.d'], gateways: ['x'], http: [{ route }] }),
    ],
    ['3 ERROR IST0101 spec.gateways[0]'],
  ],
  [
    'two sidecars for all workloads',
    [sidecar('a'), sidecar('b')],
    ['1 ERROR IST0111 metadata.name', '3 ERROR IST0111 metadata.name'],
  ],
  [
    'two sidecars for the same workload, and one for none',
    [app, sidecar('a', { app: 'app' }), sidecar('b', { app: 'app' }), sidecar('c', { app: 'x' })],
    [
      '3 ERROR IST0110 spec.workloadSelector',
      '5 ERROR IST0110 spec.workloadSelector',
      '7 ERROR IST0101 spec.workloadSelector',
    ],
  ],
  ['a replaced cluster', [filter('CLUSTER', 'REPLACE')], ['1 ERROR IST0152 spec.configPatches[0].patch']],
  ['an added route', [filter('HTTP_ROUTE', 'ADD')], ['1 ERROR IST0153 spec.configPatches[0].patch']],
  ['a relative change', [filter('HTTP_FILTER', 'MERGE')], ['1 WARNING IST0151 spec.configPatches[0].patch']],
  ['a relative change in order', [filter('HTTP_FILTER', 'MERGE', { priority: 5 })], []],
  [
    'a mirror that does not exist',
    [
      service('app', [http]),
      networking('VirtualService', 'v', { hosts: ['app'], http: [{ route, mirror: { host: 'other' } }] }),
    ],
    ['3 ERROR IST0101 spec.http[0].mirror.host'],
  ],
  [
    'what is deprecated',
    [
      service('app', [http]),
      networking('VirtualService', 'v', {
        hosts: ['app'],
        http: [{ route, fault: { delay: { percent: 5, fixedDelay: '1s' } } }],
      }),
    ],
    ['3 WARNING IST0002 spec.http[0].fault.delay.percent'],
  ],
  [
    'a host outside that a ServiceEntry names',
    [
      entry('e', 'HTTP'),
      networking('VirtualService', 'v', {
        hosts: ['db.example.org'],
        http: [{ route: [{ destination: { host: 'db.example.org' } }] }],
      }),
    ],
    [],
  ],
];

for (const [what, objects, found] of cases) {
  test(`${found.length === 0 ? 'finds nothing about' : 'finds'} ${what}`, () => {
    assert.deepEqual(findings(...objects), found);
  });
}

test('compares nothing with objects that are not valid', () => {
  const broken = networking('DestinationRule', 'd', { hosts: 'x' });
  const codes = findings(broken, networking('VirtualService', 'v', { hosts: ['x'], http: [{ route }] }));
  assert.deepEqual(codes, [
    '1 ERROR HEDDLE_MISSING_FIELD spec.host',
    '1 ERROR HEDDLE_UNKNOWN_FIELD spec.hosts',
  ]);
});
