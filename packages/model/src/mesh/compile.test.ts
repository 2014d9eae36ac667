import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAliases } from './host-name.ts';
import { compileMesh, viewOf } from './mesh-compiler.ts';
import type { MeshModel } from './model.ts';
import type { RouteRule } from './route-model.ts';
import { destinationRule, service, stored, to, virtualService } from '../testing/objects.ts';

const reviewsHost = 'reviews.default.svc.cluster.local';

/** Rules of a host at a port for clients of a namespace, each as `name: conditions > cluster=weight …`. */
function rules(model: MeshModel, host: string, port: number, namespace = 'default'): string[] {
  const view = viewOf(model.hosts.get(host)!, namespace);
  return view.ports.find((routes) => routes.port === port)!.rules.map(describe);
}

function describe({ name, match, action }: RouteRule): string {
  const destinations = action.kind === 'forward' ? action.destinations : [];
  const conditions = Object.entries(match)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([field]) => field);
  const shares = destinations.map(({ host, port, subset, weight }) => `${host}:${port}|${subset}=${weight}`);
  return `${name}: ${conditions.join(',')} > ${shares.join(' ')}`;
}

test('sends everything to all instances of a service that nobody wrote rules for', () => {
  const model = compileMesh({ objects: [], services: [service('reviews', 9080, 9081)] });
  assert.deepEqual(rules(model, reviewsHost, 9080), [`default:  > ${reviewsHost}:9080|=1`]);
  assert.deepEqual(rules(model, reviewsHost, 9081), [`default:  > ${reviewsHost}:9081|=1`]);
  const view = viewOf(model.hosts.get(reviewsHost)!, 'default');
  assert.equal(view.virtualService, null);
  assert.deepEqual(view.subsets, []);
});

test('splits by weight between subsets, leaving out what has weight 0', () => {
  const route = [
    { destination: { host: 'reviews', subset: 'v1' }, weight: 80 },
    { destination: { host: 'reviews', subset: 'v2' }, weight: 20 },
    { destination: { host: 'reviews', subset: 'v3' }, weight: 0 },
  ];
  const model = compileMesh({
    objects: [
      virtualService('reviews', { hosts: ['reviews'], http: [{ route }] }),
      destinationRule('reviews', 'reviews', ['v1', 'v2', 'v3']),
    ],
    services: [service('reviews', 9080)],
  });
  assert.deepEqual(rules(model, reviewsHost, 9080), [
    `:  > ${reviewsHost}:9080|v1=80 ${reviewsHost}:9080|v2=20`,
  ]);
  const { subsets } = viewOf(model.hosts.get(reviewsHost)!, 'default');
  assert.deepEqual(
    subsets.map(({ name, labels }) => `${name}:${labels['version']}`),
    ['v1:v1', 'v2:v2', 'v3:v3'],
  );
});

test('gives a single destination everything, whatever its weight', () => {
  const route = [{ destination: { host: 'reviews' }, weight: 0 }];
  const objects = [virtualService('reviews', { hosts: ['reviews'], http: [{ route }] })];
  const model = compileMesh({ objects, services: [service('reviews', 9080)] });
  assert.deepEqual(rules(model, reviewsHost, 9080), [`:  > ${reviewsHost}:9080|=1`]);
});

test('turns each match block into one rule, in order, and ends at the first that takes everything', () => {
  const http = [
    {
      name: 'a',
      match: [{ name: 'm', uri: { exact: '/a' } }, { headers: { 'end-user': { exact: 'jason' } } }],
      route: to('reviews|v1'),
    },
    { match: [{ uri: { prefix: '/' } }], route: to('reviews|v2') },
    { name: 'never', route: to('reviews|v3') },
  ];
  const model = compileMesh({
    objects: [virtualService('reviews', { hosts: ['reviews'], http })],
    services: [service('reviews', 9080)],
  });
  assert.deepEqual(rules(model, reviewsHost, 9080), [
    `a.m: path > ${reviewsHost}:9080|v1=1`,
    `a: headers > ${reviewsHost}:9080|v1=1`,
    `: path > ${reviewsHost}:9080|v2=1`,
  ]);
  const first = viewOf(model.hosts.get(reviewsHost)!, 'x').ports[0]!.rules[0]!;
  assert.deepEqual(first.origin, {
    object: { group: 'networking.istio.io', kind: 'VirtualService', namespace: 'default', name: 'reviews' },
    path: 'spec.http[0].match[0]',
  });
});

test('carries every condition and the timeout', () => {
  const block = {
    uri: { prefix: '/A' },
    ignoreUriCase: true,
    method: { exact: 'GET' },
    authority: { prefix: 'reviews' },
    headers: { a: { exact: '1' }, b: {} },
    withoutHeaders: { c: { prefix: 'x' } },
    queryParams: { q: { exact: '2' }, r: {} },
  };
  const http = [{ match: [block], timeout: '1.5s', route: to('reviews') }];
  const model = compileMesh({
    objects: [virtualService('reviews', { hosts: ['reviews'], http })],
    services: [service('reviews', 9080)],
  });
  const rule = viewOf(model.hosts.get(reviewsHost)!, 'default').ports[0]!.rules[0]!;
  assert.equal(rule.action.kind === 'forward' && rule.action.timeoutMs, 1500);
  assert.deepEqual(rule.match, {
    path: { kind: 'prefix', value: '/A', ignoreCase: true },
    scheme: null,
    method: { kind: 'exact', value: 'GET' },
    authority: { kind: 'prefix', value: 'reviews' },
    headers: [
      { name: 'a', match: { kind: 'exact', value: '1' }, invert: false },
      { name: 'b', match: { kind: 'present' }, invert: false },
      { name: 'c', match: { kind: 'prefix', value: 'x' }, invert: true },
    ],
    queryParameters: [
      { name: 'q', match: { kind: 'exact', value: '2' } },
      { name: 'r', match: { kind: 'present' } },
    ],
  });
});

test('keeps rules for one port to that port, and leaves other ports alone', () => {
  const http = [{ match: [{ port: 9081 }], route: to('reviews|v1') }];
  const model = compileMesh({
    objects: [virtualService('reviews', { hosts: ['reviews'], http })],
    services: [service('reviews', 9080, 9081)],
  });
  assert.deepEqual(rules(model, reviewsHost, 9080), [`default:  > ${reviewsHost}:9080|=1`]);
  assert.deepEqual(rules(model, reviewsHost, 9081), [`:  > ${reviewsHost}:9081|v1=1`]);
});

test('sends to the only port of another service, or to the named one, or keeps the port', () => {
  const http = [
    { match: [{ uri: { exact: '/one' } }], route: to('one') },
    { match: [{ uri: { exact: '/two' } }], route: to('two') },
    { route: [{ destination: { host: 'two', port: { number: 71 } } }] },
  ];
  const model = compileMesh({
    objects: [virtualService('reviews', { hosts: ['reviews'], http })],
    services: [service('reviews', 9080), service('one', 60), service('two', 70, 71)],
  });
  assert.deepEqual(rules(model, reviewsHost, 9080), [
    ': path > one.default.svc.cluster.local:60|=1',
    ': path > two.default.svc.cluster.local:9080|=1',
    ':  > two.default.svc.cluster.local:71|=1',
  ]);
});

test("expands short names with the rule's namespace, not the service's or the client's", () => {
  const model = compileMesh({
    objects: [
      virtualService('shop/x', { hosts: [reviewsHost, 'reviews'], http: [{ route: to('reviews') }] }),
    ],
    services: [service('reviews', 9080), service('shop/reviews', 80)],
  });
  assert.deepEqual(rules(model, reviewsHost, 9080, 'default'), [':  > reviews.shop.svc.cluster.local:80|=1']);
  assert.deepEqual(rules(model, 'reviews.shop.svc.cluster.local', 80), [
    ':  > reviews.shop.svc.cluster.local:80|=1',
  ]);
});

test('gives a host that only a VirtualService names port 80', () => {
  const model = compileMesh({
    objects: [virtualService('x', { hosts: ['www.example.org'], http: [{ route: to('reviews') }] })],
    services: [service('reviews', 9080)],
  });
  assert.equal(model.hosts.get('www.example.org')!.service, null);
  assert.deepEqual(rules(model, 'www.example.org', 80), [`:  > ${reviewsHost}:9080|=1`]);
});

test('gives names that only a VirtualService covers to those who see it, at the ports its rules name', () => {
  const http = [{ match: [{ port: 8080 }], route: to(`${reviewsHost}|v1`) }];
  const model = compileMesh({
    objects: [virtualService('shop/x', { hosts: ['*.example.org'], exportTo: ['.'], http })],
    services: [service('reviews', 9080)],
  });
  assert.deepEqual([...model.hosts.keys()].toSorted(), ['*.example.org', reviewsHost]);
  const host = model.hosts.get('*.example.org')!;
  assert.deepEqual(rules(model, '*.example.org', 8080, 'shop'), [`:  > ${reviewsHost}:9080|v1=1`]);
  assert.deepEqual(
    viewOf(host, 'shop').ports.map(({ port }) => port),
    [8080],
  );
  assert.deepEqual(viewOf(host, 'default').ports, []);
});

test('lets the oldest of several VirtualServices decide, and an exact host before a wildcard', () => {
  const one = (
    name: string,
    host: string,
    subset: string,
    revision: number,
  ): ReturnType<typeof virtualService> =>
    virtualService(name, { hosts: [host], http: [{ route: to(`reviews|${subset}`) }] }, revision);
  const objects = [
    one('newer', 'reviews', 'newer', 5),
    one('older', 'reviews', 'older', 3),
    one('wide', '*.svc.cluster.local', 'wide', 1),
    one('narrow', '*.default.svc.cluster.local', 'narrow', 2),
  ];
  const services = [service('reviews', 9080), service('ratings', 9080), service('shop/ratings', 9080)];
  const model = compileMesh({ objects, services });
  const subsets = services.map(({ host }) => rules(model, host, 9080)[0]!.split('|')[1]);
  assert.deepEqual(subsets, ['older=1', 'narrow=1', 'wide=1']);
});

test('shows a VirtualService only to the namespaces it is exported to', () => {
  const objects = [
    virtualService(
      'shop/own',
      { hosts: [reviewsHost], exportTo: ['.'], http: [{ route: to(`${reviewsHost}|shop`) }] },
      2,
    ),
    virtualService(
      'shop/named',
      { hosts: [reviewsHost], exportTo: ['crm'], http: [{ route: to(`${reviewsHost}|crm`) }] },
      1,
    ),
  ];
  const model = compileMesh({ objects, services: [service('reviews', 9080)] });
  assert.deepEqual(rules(model, reviewsHost, 9080, 'shop'), [`:  > ${reviewsHost}:9080|shop=1`]);
  assert.deepEqual(rules(model, reviewsHost, 9080, 'crm'), [`:  > ${reviewsHost}:9080|crm=1`]);
  assert.deepEqual(rules(model, reviewsHost, 9080, 'default'), [`default:  > ${reviewsHost}:9080|=1`]);
  assert.deepEqual([...model.hosts.get(reviewsHost)!.views.keys()].toSorted(), ['crm', 'shop']);
});

test('keeps rules for clients of one namespace to them', () => {
  const http = [
    { match: [{ sourceNamespace: 'shop' }], route: to('reviews|v2') },
    { route: to('reviews|v1') },
  ];
  const model = compileMesh({
    objects: [virtualService('reviews', { hosts: ['reviews'], http })],
    services: [service('reviews', 9080)],
  });
  assert.deepEqual(rules(model, reviewsHost, 9080, 'shop'), [`:  > ${reviewsHost}:9080|v2=1`]);
  assert.deepEqual(rules(model, reviewsHost, 9080, 'default'), [`:  > ${reviewsHost}:9080|v1=1`]);
});

test("looks a DestinationRule up in the client's namespace, then the service's, then the root's", () => {
  const rule = (name: string, subset: string, exportTo?: string[]): ReturnType<typeof destinationRule> =>
    destinationRule(name, reviewsHost, [subset], exportTo === undefined ? {} : { exportTo });
  const services = [service('reviews', 9080)];
  const subsets = (objects: ReturnType<typeof destinationRule>[], namespace: string): string[] => {
    const model = compileMesh({ objects, services });
    return viewOf(model.hosts.get(reviewsHost)!, namespace).subsets.map(({ name }) => name);
  };
  const root = rule('heddle-system/a', 'root');
  const home = rule('default/a', 'home');
  const client = rule('shop/a', 'client');
  assert.deepEqual(subsets([root, home, client], 'shop'), ['client']);
  assert.deepEqual(
    subsets([root, home, client], 'crm'),
    ['home'],
    "a third namespace's rule is none of crm's business",
  );
  assert.deepEqual(subsets([root, client], 'crm'), ['root']);
  assert.deepEqual(
    subsets([root, home], 'heddle-system'),
    ['home'],
    'what the root says for everybody comes last',
  );
  assert.deepEqual(subsets([rule('heddle-system/a', 'own', ['.']), home], 'heddle-system'), ['own']);
  assert.deepEqual(subsets([rule('default/a', 'home', ['.']), root], 'crm'), ['root'], 'not exported');
});

test('joins the subsets of DestinationRules for one host, the oldest first, and ignores less specific ones', () => {
  const objects = [
    destinationRule('newer', 'reviews', ['v2', 'v3'], { createdRevision: 9 }),
    destinationRule('older', 'reviews', ['v1', 'v2'], { createdRevision: 4 }),
    destinationRule('wide', '*.svc.cluster.local', ['wide'], { createdRevision: 1 }),
  ];
  const model = compileMesh({ objects, services: [service('reviews', 9080), service('ratings', 9080)] });
  const view = viewOf(model.hosts.get(reviewsHost)!, 'default');
  assert.deepEqual(
    view.subsets.map(({ name }) => name),
    ['v1', 'v2', 'v3'],
  );
  assert.deepEqual(
    view.destinationRules.map(({ name }) => name),
    ['older', 'newer'],
  );
  const ratings = viewOf(model.hosts.get('ratings.default.svc.cluster.local')!, 'default');
  assert.deepEqual(
    ratings.subsets.map(({ name }) => name),
    ['wide'],
  );
});

test('takes the labels of the oldest of several subsets of one name', () => {
  const subset = (version: string): object => ({
    host: 'reviews',
    subsets: [{ name: 'stable', labels: { version } }],
  });
  const objects = [
    stored('DestinationRule', 'newer', subset('v2'), 9),
    stored('DestinationRule', 'older', subset('v1'), 4),
  ];
  const model = compileMesh({ objects, services: [service('reviews', 9080)] });
  assert.deepEqual(viewOf(model.hosts.get(reviewsHost)!, 'default').subsets, [
    { name: 'stable', labels: { version: 'v1' } },
  ]);
});

test('knows a service by its short name in its own namespace only', () => {
  const reviews = service('reviews', 9080);
  assert.deepEqual(hostAliases(reviews, 'default'), [
    reviewsHost,
    'reviews.default.svc',
    'reviews.default',
    'reviews',
  ]);
  assert.deepEqual(hostAliases(reviews, 'shop'), [reviewsHost, 'reviews.default.svc', 'reviews.default']);
});

test('leaves out what the model does not know yet, so that it takes no request that others are for', () => {
  const route = to('reviews');
  const object = virtualService('reviews', {
    hosts: ['reviews'],
    http: [
      { name: 'claims', match: [{ headers: { '@request.auth.claims.a': {} } }], route },
      { name: 'rest', route },
    ],
  });
  const model = compileMesh({ objects: [object], services: [service('reviews', 9080)] });
  const cluster = `${reviewsHost}:9080|=1`;
  assert.deepEqual(rules(model, reviewsHost, 9080), [`rest:  > ${cluster}`]);
});

test('asks sidecars nothing of a VirtualService that is only for gateways', () => {
  const object = virtualService('reviews', {
    hosts: ['reviews'],
    gateways: ['edge'],
    http: [{ route: to('a') }],
  });
  const model = compileMesh({ objects: [object], services: [service('reviews', 9080)] });
  assert.deepEqual(rules(model, reviewsHost, 9080), [`default:  > ${reviewsHost}:9080|=1`]);
});
