import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';
import type { StoredObject } from '../manifest/object.ts';
import { service, to, virtualService } from '../testing/objects.ts';
import { MeshCompiler, compileMesh, viewOf } from './mesh-compiler.ts';
import type { MeshModel } from './model.ts';
import type { RouteRule } from './route-model.ts';

const host = 'web.default.svc.cluster.local';
const services = [service('web', 80, 8080), service('v2', 80), service('shop/cart', 80)];

function gatewayObject(kind: string, name: string, spec: object, createdRevision = 1): StoredObject {
  const [last, namespace = 'default'] = name.split('/').toReversed();
  const text = JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: { name: last, namespace },
    spec,
  });
  const { objects, problems } = parseManifests([{ name, text }], { namespace });
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return { object: objects[0]!.object, createdRevision };
}

const parent = { group: '', kind: 'Service', name: 'web', namespace: 'default' };

function route(name: string, rules: readonly object[], more: object = {}, revision = 1): StoredObject {
  return gatewayObject('HTTPRoute', name, { parentRefs: [{ ...parent, ...more }], rules }, revision);
}

function rulesOf(model: MeshModel, namespace = 'default', port = 80): readonly RouteRule[] {
  const { ports } = viewOf(model.hosts.get(host)!, namespace);
  return ports.find((one) => one.port === port)!.rules;
}

/** A rule as its path, and where it leads. */
function summary(rules: readonly RouteRule[]): string[] {
  return rules.map(({ match, action }) => {
    const where =
      action.kind === 'forward'
        ? action.destinations.map((one) => `${one.host.split('.')[0]}=${one.weight}`).join(' ')
        : action.kind === 'redirect'
          ? `-> ${action.status}`
          : `! ${action.status}`;
    return `${match.path?.kind ?? 'any'} ${match.path?.value ?? ''}: ${where}`;
  });
}

const only = (value: string, type = 'PathPrefix'): object => ({ matches: [{ path: { type, value } }] });
const toV2 = { backendRefs: [{ name: 'v2', port: 80 }] };

test('orders rules by how specific they are, of equals the older route first', () => {
  const objects = [
    route(
      'b',
      [
        { ...only('/a/'), ...toV2 },
        { ...only('/a/long'), ...toV2 },
      ],
      {},
      2,
    ),
    route('a', [
      { ...only('/a'), backendRefs: [{ name: 'web', port: 80 }] },
      { ...only('/a', 'Exact'), ...toV2 },
      { ...only('/a.*', 'RegularExpression'), ...toV2 },
      {
        matches: [{ path: { value: '/a' }, headers: [{ name: 'X', value: '1' }] }],
        ...toV2,
      },
      { matches: [{ path: { value: '/a' }, method: 'GET' }], ...toV2 },
    ]),
  ];
  const rules = rulesOf(compileMesh({ objects, services }));
  assert.deepEqual(summary(rules), [
    'exact /a: v2=1',
    'regex /a.*: v2=1',
    'segments /a/long: v2=1',
    'segments /a: v2=1',
    'segments /a: v2=1',
    'segments /a: web=1',
    'segments /a: v2=1',
  ]);
  assert.deepEqual([rules[3]?.match.method?.kind, rules[4]?.match.headers[0]?.name], ['exact', 'x']);
});

test('refuses what leads nowhere, and the share of it that does', () => {
  const objects = [
    route('a', [
      { ...only('/none', 'Exact'), backendRefs: [{ name: 'missing', port: 80 }] },
      {
        ...only('/some', 'Exact'),
        backendRefs: [
          { name: 'v2', port: 80, weight: 3 },
          { name: 'v2', port: 81, weight: 1 },
          { name: 'v2', port: 80, weight: 0 },
        ],
      },
      { ...only('/empty', 'Exact') },
      {
        ...only('/filter', 'Exact'),
        ...toV2,
        filters: [{ type: 'ExtensionRef', extensionRef: { group: 'a.b', kind: 'C', name: 'd' } }],
      },
    ]),
  ];
  assert.deepEqual(summary(rulesOf(compileMesh({ objects, services }))).toSorted(), [
    'exact /empty: ! 500',
    'exact /filter: ! 500',
    'exact /none: ! 500',
    'exact /some: v2=3 =1',
  ]);
});

test('sends requests to other namespaces only where these allow it, from the moment on that they do', () => {
  const compiler = new MeshCompiler();
  const backendRefs = [{ name: 'cart', namespace: 'shop', port: 80 }];
  compiler.apply({ services, objects: [route('a', [{ backendRefs }])] });
  assert.deepEqual(summary(rulesOf(compiler.model)), ['any : ! 500']);
  const from = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }];
  const grant = gatewayObject('ReferenceGrant', 'shop/g', { from, to: [{ group: '', kind: 'Service' }] });
  compiler.apply({ objects: [grant] });
  assert.deepEqual(summary(rulesOf(compiler.model)), ['any : cart=1']);
  const key = {
    group: 'gateway.networking.k8s.io',
    kind: 'ReferenceGrant',
    namespace: 'shop',
    name: 'g',
  } as const;
  compiler.apply({ deletedObjects: [key] });
  assert.deepEqual(summary(rulesOf(compiler.model)), ['any : ! 500']);
});

test("holds for everybody in the service's namespace, for its own clients elsewhere, at the ports it names", () => {
  const objects = [
    route('all', [{ ...only('/all', 'Exact'), ...toV2 }], { port: 80 }),
    route('shop/own', [{ ...only('/own', 'Exact'), backendRefs: [{ name: 'cart', port: 80 }] }]),
  ];
  const model = compileMesh({ objects, services });
  assert.deepEqual(summary(rulesOf(model)), ['exact /all: v2=1']);
  assert.deepEqual(summary(rulesOf(model, 'shop')), ['exact /own: cart=1']);
  assert.deepEqual(summary(rulesOf(model, 'default', 8080)), ['any : web=1']);
});

test('leaves hosts of VirtualServices to these', () => {
  const objects = [
    route('all', [toV2]),
    virtualService('web', { hosts: ['web'], http: [{ route: to('web') }] }),
  ];
  assert.deepEqual(summary(rulesOf(compileMesh({ objects, services }))), ['any : web=1']);
});

test('replaces prefixes by whole segments, in requests and redirects', () => {
  const rewrite = (replacePrefixMatch: string): object => ({
    type: 'URLRewrite',
    urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch } },
  });
  const pathOf = (prefix: string, replacement: string): unknown => {
    const rules = [{ ...only(prefix), ...toV2, filters: [rewrite(replacement)] }];
    const { action } = rulesOf(compileMesh({ objects: [route('a', rules)], services }))[0]!;
    return action.kind === 'forward' && action.path;
  };
  assert.deepEqual(pathOf('/a.b', '/c/'), { kind: 'replace', value: '/c' });
  assert.deepEqual(pathOf('/a.b', '/'), { kind: 'regex', pattern: '^/a\\.b/?(.*)', substitution: '/\\1' });
  assert.deepEqual(pathOf('/', '/c'), { kind: 'regex', pattern: '^/?(.*)', substitution: '/c/\\1' });
});

test('keeps a port that is not the usual one in redirects, unless the scheme changes', () => {
  const redirects = [{ hostname: 'x' }, { hostname: 'x', scheme: 'https' }, { port: 9 }].map(
    (requestRedirect) => {
      const rules = [{ filters: [{ type: 'RequestRedirect', requestRedirect }] }];
      const model = compileMesh({ objects: [route('a', rules)], services });
      const [at80, at8080] = [80, 8080].map((port) => rulesOf(model, 'default', port)[0]!.action);
      return [at80, at8080].map((action) => action?.kind === 'redirect' && action.port);
    },
  );
  assert.deepEqual(redirects, [
    [null, 8080],
    [null, null],
    [9, 9],
  ]);
});

test('knows calls of gRPC by service and method', () => {
  const rules = [
    {
      matches: [
        { method: { service: 'a.B', method: 'C' } },
        { method: { service: 'a.B' } },
        { method: { method: 'D' } },
        { method: { type: 'RegularExpression', service: 'a.*' } },
      ],
      ...toV2,
    },
  ];
  const object = gatewayObject('GRPCRoute', 'a', { parentRefs: [parent], rules });
  assert.deepEqual(summary(rulesOf(compileMesh({ objects: [object], services }))), [
    'exact /a.B/C: v2=1',
    'regex /a.*/[^/]+: v2=1',
    'regex /[^/]+/D: v2=1',
    'prefix /a.B/: v2=1',
  ]);
});
