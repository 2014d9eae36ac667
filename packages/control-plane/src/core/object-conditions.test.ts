import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayWorld, parseManifests, type MeshObject } from '@heddle/model';
import { conditionsOf } from './object-conditions.ts';

function objects(text: string): MeshObject[] {
  const { objects: parsed, problems } = parseManifests([{ name: 'a', text }], { namespace: 'default' });
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return parsed.map(({ object }) => object);
}

const brief = (conditions: readonly { type: string; status: string; reason: string }[]): string[] =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

const around = {
  generation: 3,
  findings: [],
  proxies: { acknowledged: 2, total: 2 },
  world: () => new GatewayWorld([], []),
};
const [virtualService, route, gateway] = objects(`
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {hosts: [a], http: [{route: [{destination: {host: a}}]}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec:
  parentRefs:
  - {group: '', kind: Service, name: reviews}
  - {group: '', kind: Service, name: nobody}
  - {name: edge}
  - {name: edge, sectionName: other}
  - {name: foreign}
  rules: [{backendRefs: [{name: reviews, port: 80}, {name: ratings, namespace: far, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec: {gatewayClassName: heddle, listeners: [{name: http, port: 80, protocol: HTTP}, {name: odd, port: 81, protocol: odd.example/x}]}
`) as [MeshObject, MeshObject, MeshObject];
const grant = `
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: far}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}], to: [{group: '', kind: Service}]}
`;

describe('conditions', () => {
  it('say of every object whether it is accepted, whole and with the proxies', () => {
    const { conditions } = conditionsOf(virtualService, around);
    assert.deepEqual(brief(conditions), [
      'Accepted True Accepted',
      'ResolvedRefs True ResolvedRefs',
      'Reconciled True Reconciled',
    ]);
    assert.ok(conditions.every(({ observedGeneration }) => observedGeneration === 3));
    const lost = { code: 'IST0101', message: 'the host a does not exist' };
    const late = conditionsOf(virtualService, {
      ...around,
      findings: [lost],
      proxies: { acknowledged: 1, total: 2 },
    });
    assert.deepEqual(brief(late.conditions).slice(1), [
      'ResolvedRefs False RefNotFound',
      'Reconciled False Pending',
    ]);
    assert.equal(late.conditions[1]?.message, 'the host a does not exist');
    assert.match(late.conditions[2]?.message ?? '', /^1 of the 2 connected/);
  });

  it('say of a route for each of its parents that are ours whether it holds there', () => {
    const parents = (all: MeshObject[], services: string[]): string[] => {
      const world = (): GatewayWorld => new GatewayWorld(all, services);
      return (conditionsOf(route, { ...around, world }).parents ?? []).map(
        ({ parentRef, conditions }) =>
          `${parentRef.name} ${parentRef.sectionName ?? ''}: ${brief(conditions).join(', ')}`,
      );
    };
    const refused = 'ResolvedRefs False RefNotPermitted';
    assert.deepEqual(parents([route, gateway], ['default/reviews', 'far/ratings']), [
      `reviews : Accepted True Accepted, ${refused}`,
      `nobody : Accepted False NoMatchingParent, ${refused}`,
      `edge : Accepted True Accepted, ${refused}`,
      `edge other: Accepted False NoMatchingParent, ${refused}`,
    ]);
    const granted = [route, gateway, ...objects(grant)];
    assert.match(
      parents(granted, ['default/reviews', 'far/ratings'])[0] ?? '',
      /ResolvedRefs True ResolvedRefs$/,
    );
    assert.match(parents(granted, ['default/reviews'])[0] ?? '', /ResolvedRefs False BackendNotFound$/);
  });

  it('say of a Gateway and its listeners that nothing runs them yet', () => {
    const world = (): GatewayWorld => new GatewayWorld([route, gateway], []);
    const { conditions, listeners = [] } = conditionsOf(gateway, { ...around, world });
    assert.deepEqual(brief(conditions), ['Accepted True Accepted', 'Programmed False NoEffect']);
    assert.deepEqual(
      listeners.map(
        ({ name, attachedRoutes, conditions: [first] }) => `${name} ${attachedRoutes} ${first?.reason}`,
      ),
      ['http 1 Accepted', 'odd 0 UnsupportedProtocol'],
    );
  });
});
