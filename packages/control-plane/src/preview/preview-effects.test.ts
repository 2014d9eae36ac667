import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TypeUrl } from '@heddle/xds';
import type { DiffResponse, ObjectDiff } from '../api/types.ts';
import { makeMeshWorld, type MeshWorld } from '../testing/mesh-world.ts';
import { describeDiff } from './describe-diff.ts';

const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - name: v1
    labels: {version: v1}
`;
const routes = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: v1}
`;
const cluster = 'outbound|9080|v1|reviews.default.svc.cluster.local';

/** reviews, and a sidecar of another namespace. */
async function meshWithReviews(): Promise<MeshWorld> {
  const world = await makeMeshWorld();
  world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
  world.connect({ instance: 'far-1', service: 'far', namespace: 'other' });
  await world.settle();
  return world;
}

async function diff(world: MeshWorld, text: string, isDelete = false): Promise<DiffResponse> {
  const request = { files: [{ name: 'new.yaml', text }], namespace: 'default', delete: isDelete };
  const plan = world.controlPlane.configuration.plan(request);
  assert.ok(plan.ok, JSON.stringify(plan));
  return await describeDiff(world.controlPlane, plan.value);
}

function summary({ kind, change, line, resources }: ObjectDiff): unknown {
  return {
    what: `${kind} ${change} at ${line}`,
    resources: resources.map(
      ({ type, name, change: how, proxies }) => `${how} ${type} ${name} for ${proxies.length}`,
    ),
  };
}

describe('a preview', () => {
  it('says what each object changes, at which proxies, and changes nothing', async () => {
    const world = await meshWithReviews();
    const model = world.controlPlane.model;
    const { objects, proxies } = await diff(world, `${rule}---\n${routes}`);
    assert.deepEqual(objects.map(summary), [
      {
        what: 'DestinationRule created at 1',
        resources: [`added cds ${cluster} for 2`, `added eds ${cluster} for 2`],
      },
      {
        what: 'VirtualService created at 10',
        resources: ['changed rds http-proxy|default for 1', 'changed rds http-proxy|other for 1'],
      },
    ]);
    assert.equal(proxies.total, 2);
    assert.deepEqual(
      proxies.changed.map((id) => id.split('~')[1]),
      ['far-1', 'reviews-1'],
    );
    assert.equal(world.controlPlane.model, model);
    assert.equal(world.controlPlane.mirror.revision, 0);
  });

  it('says what applying then really sends', async () => {
    const world = await makeMeshWorld();
    const sidecar = world.connect({ instance: 'reviews-1', service: 'reviews' });
    sidecar.publish().keep(world.clock);
    await world.settle();
    await world.apply(rule);
    await world.settle();
    const changed = rule.replace('version: v1}', 'version: v2}') + `---\n${routes}`;
    const { objects } = await diff(world, changed);
    const told = objects.flatMap(({ resources }) => resources.map(({ name, type }) => `${type} ${name}`));
    sidecar.responses = [];
    await world.apply(changed);
    await world.settle();
    const types: Record<string, string> = { Cluster: 'cds', RouteConfiguration: 'rds' };
    const sent = sidecar.responses.flatMap(({ type, names }) =>
      names.map((name) => `${types[type] ?? 'eds'} ${name}`),
    );
    assert.deepEqual(told.toSorted(), sent.toSorted());
    assert.deepEqual(told, [`eds ${cluster}`, 'rds http-proxy|default']);
  });

  it('tells the virtual host that changes where a proxy has them one by one', async () => {
    const world = await makeMeshWorld();
    const sidecar = world.connect({ instance: 'reviews-1', service: 'reviews', metadata: { VHDS: true } });
    sidecar.publish().keep(world.clock);
    sidecar.client.subscribe(TypeUrl.virtualHost, ['http-proxy|default']);
    await world.settle();
    const { objects } = await diff(world, routes);
    const host = 'http-proxy|default/reviews.default.svc.cluster.local:9080';
    assert.deepEqual(
      objects.flatMap(({ resources }) =>
        resources.map(({ change, name, type }) => `${change} ${type} ${name}`),
      ),
      [`changed vhds ${host}`],
    );
    sidecar.responses = [];
    await world.apply(routes);
    await world.settle();
    assert.deepEqual(
      sidecar.responses.map(({ type, names }) => [type, names]),
      [['VirtualHost', [host]]],
    );
  });

  it('names fields of objects with their lines, and of resources', async () => {
    const world = await meshWithReviews();
    await world.apply(`${rule}---\n${routes}`);
    await world.settle();
    const { objects } = await diff(world, `${routes}    timeout: 3s\n`);
    assert.deepEqual(objects[0]?.fields, [{ path: 'spec.http[0].timeout', after: '3s', line: 9 }]);
    const [resource] = objects[0]?.resources ?? [];
    assert.equal(resource?.fields.length, 1);
    assert.match(resource?.fields[0]?.path ?? '', /reviews\.default\.svc\.cluster\.local:9080.*timeout$/);
  });

  it('finds nothing in what is stored already', async () => {
    const world = await meshWithReviews();
    await world.apply(rule);
    await world.settle();
    const { objects, proxies } = await diff(world, rule);
    assert.deepEqual(
      objects.map(({ change, fields, resources }) => [change, fields, resources]),
      [['unchanged', [], []]],
    );
    assert.deepEqual(proxies.changed, []);
  });

  it('says what deleting takes away', async () => {
    const world = await meshWithReviews();
    await world.apply(rule);
    await world.settle();
    const { objects } = await diff(world, rule + '---\n' + routes, true);
    assert.deepEqual(objects.map(summary), [
      {
        what: 'DestinationRule deleted at undefined',
        resources: [`removed cds ${cluster} for 2`, `removed eds ${cluster} for 2`],
      },
      { what: 'VirtualService not-found at undefined', resources: [] },
    ]);
  });

  it('leaves out what a later object undoes', async () => {
    const world = await meshWithReviews();
    const effects = await world.controlPlane.preview([
      { objects: (await planned(world, rule)).map((object) => ({ object, createdRevision: 1 })) },
      {
        deletedObjects: [
          { group: 'networking.istio.io', kind: 'DestinationRule', namespace: 'default', name: 'reviews' },
        ],
      },
    ]);
    assert.deepEqual(effects, [[], []]);
  });
});

async function planned(world: MeshWorld, text: string) {
  const plan = world.controlPlane.configuration.plan({ files: [{ name: 'a', text }], namespace: 'default' });
  assert.ok(plan.ok);
  return plan.value.flatMap(({ after }) => after ?? []);
}
