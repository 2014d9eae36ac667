import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredObject } from '../manifest/object.ts';
import type { MeshService } from '../mesh/model.ts';
import { parseManifests } from '../manifest/parse-manifests.ts';
import { destinationRule, service, stored, to, virtualService } from '../testing/objects.ts';
import { analyze } from './analyze.ts';
import { findingToProblem } from './finding.ts';

const reviewsHost = 'reviews.default.svc.cluster.local';

/** Findings as `object path code: message (hint)`. */
function findings(
  objects: readonly StoredObject[],
  services: readonly MeshService[],
  known: readonly string[] = [],
): string[] {
  const found = analyze({
    objects,
    services: new Map(services.map((one) => [one.host, one])),
    knowsHost: (host) => known.includes(host),
  });
  return found.map(({ object, path, code, message, hint }) => {
    return `${object.name} ${path} ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
  });
}

const reviews = service('reviews', 9080);
const rule = destinationRule('dr', 'reviews', ['v1', 'v2']);

function routeTo(...destinations: string[]): StoredObject {
  return virtualService('vs', { hosts: ['reviews'], http: [{ route: to(...destinations) }] });
}

test('finds nothing where everything exists', () => {
  assert.deepEqual(findings([rule, routeTo('reviews|v1', `${reviewsHost}|v2`)], [reviews]), []);
});

test('finds a destination that does not exist, once per field, and not again for the same host of the rule', () => {
  const http = [{ route: to('reviews', 'raitings') }];
  assert.deepEqual(
    findings([virtualService('vs', { hosts: ['raitings'], http })], [reviews, service('ratings', 9080)]),
    [
      "vs spec.http[0].route[1].destination.host IST0101: the host 'raitings' (raitings.default.svc.cluster.local) does not exist (did you mean ratings.default.svc.cluster.local?)",
    ],
  );
});

test('finds a subset that no DestinationRule defines', () => {
  assert.deepEqual(findings([rule, routeTo('reviews|v3')], [reviews]), [
    `vs spec.http[0].route[0].destination.subset IST0101: the host ${reviewsHost} has no subset 'v3' (did you mean 'v1'?)`,
  ]);
  assert.deepEqual(findings([routeTo('reviews|v1')], [reviews]), [
    `vs spec.http[0].route[0].destination.subset IST0101: the host ${reviewsHost} has no subset 'v1' (a DestinationRule for the host defines subsets)`,
  ]);
});

test('finds the subsets of a service of which no instance runs', () => {
  assert.deepEqual(
    findings(
      [
        destinationRule('shop/dr', 'reviews', ['v1']),
        virtualService('vs', {
          hosts: ['x.org'],
          http: [{ route: to('reviews.shop.svc.cluster.local|v1') }],
        }),
      ],
      [],
    ),
    [
      "dr spec.host IST0101: the host 'reviews' (reviews.shop.svc.cluster.local) does not exist (no instance of such a service has been registered)",
      'vs spec.http[0].route[0].destination.host IST0101: the host reviews.shop.svc.cluster.local does not exist (no instance of such a service has been registered)',
    ],
  );
});

test('looks subsets up as clients do: a rule of a foreign namespace defines none', () => {
  assert.equal(
    findings([destinationRule('shop/dr', reviewsHost, ['v1']), routeTo('reviews|v1')], [reviews]).length,
    1,
  );
  const own = virtualService('shop/vs', { hosts: [reviewsHost], http: [{ route: to(`${reviewsHost}|v1`) }] });
  assert.deepEqual(findings([destinationRule('shop/dr', reviewsHost, ['v1']), own], [reviews]), []);
});

test('finds a name that looks short and is not', () => {
  assert.match(
    findings([routeTo('reviews.default')], [reviews])[0]!,
    /the host reviews\.default does not exist \(write reviews\.default\.svc\.cluster\.local; only names without a dot are completed\)/,
  );
});

test('believes in hosts that somebody else knows', () => {
  const object = virtualService('vs', { hosts: ['x.org'], http: [{ route: to('www.example.org') }] });
  assert.equal(findings([object], []).length, 1);
  assert.deepEqual(findings([object], [], ['www.example.org']), []);
});

test('finds rules about a service that does not exist, but not about names outside the mesh', () => {
  assert.deepEqual(
    findings(
      [
        virtualService('vs', {
          hosts: ['reveiws', 'x.org', '*.default.svc.cluster.local'],
          http: [{ route: to('reviews') }],
        }),
      ],
      [reviews],
    ),
    [
      `vs spec.hosts[0] IST0101: the host 'reveiws' (reveiws.default.svc.cluster.local) does not exist (did you mean ${reviewsHost}?)`,
    ],
  );
});

test('suggests a host for its own label, not for the domain that all share', () => {
  const hint = (host: string): string => findings([routeTo(host)], [reviews])[0] ?? '';
  assert.match(hint('nothere'), /\(no instance of such a service has been registered\)$/);
  assert.match(hint('reviews.defualt.svc.cluster.local'), new RegExp(`did you mean ${reviewsHost}`));
});

test('finds a missing port and one that is left open', () => {
  const withPort = [{ destination: { host: 'reviews', port: { number: 80 } } }];
  assert.deepEqual(
    findings([virtualService('vs', { hosts: ['reviews'], http: [{ route: withPort }] })], [reviews]),
    [
      `vs spec.http[0].route[0].destination.port.number IST0101: the host ${reviewsHost} has no port 80 (its ports are 9080)`,
    ],
  );
  assert.deepEqual(findings([routeTo('reviews')], [service('reviews', 80, 9080)]), [
    `vs spec.http[0].route[0].destination IST0112: the host ${reviewsHost} has the ports 80, 9080, and the destination names none of them (name the port, or requests keep the port they came to)`,
  ]);
});

test('finds VirtualServices about one host and says which decides', () => {
  const http = [{ route: to('reviews') }];
  const objects = [
    virtualService('b', { hosts: [reviewsHost], http }, 2),
    virtualService('a', { hosts: ['ratings', 'reviews'], http }, 1),
    virtualService('c', { hosts: ['details'], http }, 3),
  ];
  const services = [reviews, service('ratings', 9080), service('details', 9080)];
  assert.deepEqual(findings(objects, services), [
    `b spec.hosts[0] IST0109: the VirtualServices default/a, default/b are about the same host ${reviewsHost}; default/a is older and decides (put their rules into one VirtualService)`,
    `a spec.hosts[1] IST0109: the VirtualServices default/a, default/b are about the same host ${reviewsHost}; this one is the oldest and decides (put their rules into one VirtualService)`,
  ]);
});

test('finds no conflict between VirtualServices that no client sees together', () => {
  const http = [{ route: to(reviewsHost) }];
  const objects = [
    virtualService('default/a', { hosts: [reviewsHost], exportTo: ['.'], http }),
    virtualService('shop/b', { hosts: [reviewsHost], exportTo: ['.', 'crm'], http }),
  ];
  assert.deepEqual(findings(objects, [reviews]), []);
});

function codes(http: readonly object[]): string[] {
  return findings([virtualService('vs', { hosts: ['reviews'], http })], [reviews]).map((text) =>
    text.replace(/^vs spec\./, ''),
  );
}

test('finds rules behind one that takes everything', () => {
  const route = to('reviews');
  assert.deepEqual(
    codes([{ name: 'all', route }, { route }, { match: [{ uri: { prefix: '/a' } }], route }]),
    [
      "http[1] IST0130: rule 2 is never reached: rule 1 ('all') before it takes every request",
      "http[2] IST0130: rule 3 is never reached: rule 1 ('all') before it takes every request",
    ],
  );
});

test('finds matches that earlier ones repeat or cover', () => {
  const route = to('reviews');
  const a = { uri: { prefix: '/a' } };
  assert.deepEqual(
    codes([
      { match: [a], route },
      { match: [{ name: 'again', ...a }], route },
    ]),
    [
      'http[1].match[0] IST0131: this match of rule 2 has no effect: rule 1 has the same',
      'http[1] IST0130: rule 2 is never reached: rules before it have all its matches',
    ],
  );
  assert.deepEqual(
    codes([
      { match: [a], route },
      { match: [a, { uri: { prefix: '/b' } }], route },
    ]),
    ['http[1].match[0] IST0131: this match of rule 2 has no effect: rule 1 has the same'],
  );
  assert.deepEqual(codes([{ match: [a, { uri: { prefix: '/ab' }, method: { exact: 'GET' } }], route }]), [
    'http[0].match[1] IST0131: this match of rule 1 has no effect: rule 1 before it takes a shorter prefix',
  ]);
});

test('finds nothing wrong with matches that differ in any condition', () => {
  const route = to('reviews');
  const get = { uri: { prefix: '/a' }, method: { exact: 'GET' } };
  const post = { uri: { prefix: '/ab' }, method: { exact: 'POST' } };
  assert.deepEqual(
    codes([
      { match: [get], route },
      { match: [post], route },
      { match: [{ uri: { prefix: '/' } }], route },
    ]),
    [],
  );
  assert.deepEqual(
    codes([
      { match: [{ uri: { prefix: '/A' } }], route },
      { match: [{ uri: { prefix: '/Ab' }, ignoreUriCase: true }], route },
    ]),
    [],
  );
});

test('places a finding in the file it came from', () => {
  const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination:
        host: nowhere
`;
  const { objects } = parseManifests([{ name: 'vs.yaml', text }], { namespace: 'default' });
  const { object, source } = objects[0]!;
  const [finding] = analyze({
    objects: [{ object, createdRevision: 1 }],
    services: new Map([[reviewsHost, reviews]]),
  });
  const problem = findingToProblem(finding!, 'warning', source);
  assert.deepEqual(
    [problem.file, problem.line, problem.column, problem.severity],
    ['vs.yaml', 9, 15, 'warning'],
  );
});

test('finds nothing in a DestinationRule for hosts outside the mesh or of many names', () => {
  assert.deepEqual(
    findings(
      [
        stored('DestinationRule', 'a', { host: '*.default.svc.cluster.local' }),
        stored('DestinationRule', 'b', { host: 'x.org' }),
      ],
      [],
    ),
    [],
  );
});
