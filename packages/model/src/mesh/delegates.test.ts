import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredObject } from '../manifest/object.ts';
import { service, stored, to, virtualService } from '../testing/objects.ts';
import { MeshCompiler, compileMesh, viewOf } from './mesh-compiler.ts';
import type { MeshModel } from './model.ts';

const host = 'web.default.svc.cluster.local';
const services = [service('web', 80), service('shop/cart', 80), service('cart', 80)];

function root(...http: readonly object[]): StoredObject {
  return virtualService('web', { hosts: ['web'], http });
}

function delegate(name: string, http: readonly object[], more: object = {}): StoredObject {
  return stored('VirtualService', name, { http, ...more });
}

/** The rules of `web`, each as its name, the path it is for and its first destination. */
function rulesOf(model: MeshModel): string[] {
  const { rules } = viewOf(model.hosts.get(host)!, 'default').ports[0]!;
  return rules.map(({ name, match, action }) => {
    const destination = action.kind === 'forward' ? action.destinations[0]!.host : action.kind;
    return `${name} ${match.path?.kind ?? 'any'} ${match.path?.value ?? ''} ${destination}`;
  });
}

const prefix = (value: string): object[] => [{ uri: { prefix: value } }];

test('puts the rules of a delegate in the place of the rule, with hosts as the delegate writes them', () => {
  const objects = [
    root(
      { name: 'r', match: prefix('/cart'), delegate: { name: 'cart', namespace: 'shop' } },
      { name: 'rest', route: to('web') },
    ),
    delegate('shop/cart', [
      { name: 'd', match: prefix('/cart/v1'), route: to('cart') },
      { name: 'all', route: to('cart') },
    ]),
  ];
  assert.deepEqual(rulesOf(compileMesh({ objects, services })), [
    'r-d prefix /cart/v1 cart.shop.svc.cluster.local',
    'r-all prefix /cart cart.shop.svc.cluster.local',
    `rest any  ${host}`,
  ]);
});

test('leaves out what lies outside of the rule, or is compared with a regular expression', () => {
  const objects = [
    root({ match: prefix('/cart'), delegate: { name: 'cart' } }, { route: to('web') }),
    delegate('cart', [
      { name: 'outside', match: prefix('/other'), route: to('cart') },
      { name: 'pattern', match: [{ uri: { regex: '/cart/.*' } }], route: to('cart') },
      { name: 'exact', match: [{ uri: { exact: '/cart/x' } }], route: to('cart') },
    ]),
  ];
  assert.deepEqual(rulesOf(compileMesh({ objects, services })), [
    'exact exact /cart/x cart.default.svc.cluster.local',
    ` any  ${host}`,
  ]);
});

test('takes what the delegate does not say from the rule', () => {
  const objects = [
    root({ match: prefix('/'), delegate: { name: 'cart' }, timeout: '5s', retries: { attempts: 7 } }),
    delegate('cart', [{ route: to('cart'), timeout: '1s' }]),
  ];
  const { action } = viewOf(compileMesh({ objects, services }).hosts.get(host)!, 'default').ports[0]!
    .rules[0]!;
  assert.ok(action.kind === 'forward');
  assert.deepEqual([action.timeoutMs, action.retries?.attempts], [1000, 7]);
});

test('leaves nothing to objects with hosts, to those that are not exported, nor over two levels', () => {
  const rest = { name: 'rest', route: to('web') };
  for (const other of [
    virtualService('cart', { hosts: ['x.example'], http: [{ route: to('cart') }] }),
    delegate('cart', [{ delegate: { name: 'more' } }]),
  ]) {
    const objects = [root({ delegate: { name: 'cart' } }, rest), other];
    assert.deepEqual(rulesOf(compileMesh({ objects, services })), [`rest any  ${host}`]);
  }
  const hidden = delegate('shop/cart', [{ route: to('cart') }], { exportTo: ['.'] });
  const objects = [root({ delegate: { name: 'cart', namespace: 'shop' } }, rest), hidden];
  assert.deepEqual(rulesOf(compileMesh({ objects, services })), [`rest any  ${host}`]);
});

test('compiles hosts anew when a delegate comes, changes and goes', () => {
  const compiler = new MeshCompiler();
  const objects = [root({ delegate: { name: 'cart' } }, { name: 'rest', route: to('web') })];
  compiler.apply({ services, objects });
  const cart = delegate('cart', [{ name: 'd', route: to('cart') }]);
  assert.deepEqual([...compiler.apply({ objects: [cart] }).changedHosts], [host]);
  assert.deepEqual(rulesOf(compiler.model), ['d any  cart.default.svc.cluster.local']);
  const key = {
    group: 'networking.istio.io',
    kind: 'VirtualService',
    namespace: 'default',
    name: 'cart',
  } as const;
  assert.deepEqual([...compiler.apply({ deletedObjects: [key] }).changedHosts], [host]);
  assert.deepEqual(rulesOf(compiler.model), [`rest any  ${host}`]);
});
