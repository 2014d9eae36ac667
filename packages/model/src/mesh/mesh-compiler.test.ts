import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { StoredObject } from '../manifest/object.ts';
import { keyOf } from '../manifest/object.ts';
import { MeshCompiler, type MeshChange, compileMesh } from './mesh-compiler.ts';
import type { MeshService } from './model.ts';
import { destinationRule, service, to, virtualService } from '../testing/objects.ts';

const host = (name: string): string => `${name}.default.svc.cluster.local`;

function bookinfo(): MeshCompiler {
  const compiler = new MeshCompiler();
  compiler.apply({
    services: ['productpage', 'details', 'reviews', 'ratings'].map((name) => service(name, 9080)),
  });
  return compiler;
}

test('a new rule changes its own host only and leaves the others as they are', () => {
  const compiler = bookinfo();
  const before = compiler.model;
  const rule = virtualService('reviews', { hosts: ['reviews'], http: [{ route: to('reviews|v1') }] });
  const { model, changedHosts } = compiler.apply({ objects: [rule] });
  assert.deepEqual([...changedHosts], [host('reviews')]);
  assert.notEqual(model, before);
  assert.equal(model.hosts.get(host('ratings')), before.hosts.get(host('ratings')));
  assert.notEqual(model.hosts.get(host('reviews')), before.hosts.get(host('reviews')));
  assert.equal(
    before.hosts.get(host('reviews'))!.shared.virtualService,
    null,
    'a model once given out stays',
  );
});

test('a change without effect changes no host and gives the same model', () => {
  const compiler = bookinfo();
  const before = compiler.model;
  const { model, changedHosts } = compiler.apply({ services: [service('reviews', 9080)] });
  assert.equal(changedHosts.size, 0);
  assert.equal(model, before);
});

test('a new version of a rule that says the same changes no host', () => {
  const compiler = bookinfo();
  const rule = (): StoredObject =>
    virtualService('x', { hosts: ['reviews'], http: [{ route: to('reviews|v1') }] });
  compiler.apply({ objects: [rule()] });
  const before = compiler.model;
  const { model, changedHosts } = compiler.apply({ objects: [rule()] });
  assert.equal(changedHosts.size, 0);
  assert.equal(model, before);
});

test("a destination's new port reaches the hosts that send to it", () => {
  const compiler = bookinfo();
  compiler.apply({
    objects: [virtualService('x', { hosts: ['details'], http: [{ route: to('ratings') }] })],
  });
  const { changedHosts } = compiler.apply({ services: [service('ratings', 7070)] });
  assert.deepEqual([...changedHosts].toSorted(), [host('details'), host('ratings')]);
});

test('a rule that moves to another host changes both', () => {
  const compiler = bookinfo();
  compiler.apply({
    objects: [virtualService('x', { hosts: ['details'], http: [{ route: to('ratings') }] })],
  });
  const moved = virtualService('x', { hosts: ['reviews'], http: [{ route: to('ratings') }] });
  assert.deepEqual([...compiler.apply({ objects: [moved] }).changedHosts].toSorted(), [
    host('details'),
    host('reviews'),
  ]);
});

test('removing a service or the only rule about a host removes the host', () => {
  const compiler = bookinfo();
  const rule = virtualService('x', { hosts: ['www.example.org'], http: [{ route: to('ratings') }] });
  assert.deepEqual([...compiler.apply({ objects: [rule] }).changedHosts], ['www.example.org']);
  const update = compiler.apply({ deletedObjects: [keyOf(rule.object)], deletedServices: [host('details')] });
  assert.deepEqual([...update.changedHosts].toSorted(), [host('details'), 'www.example.org']);
  assert.deepEqual([...update.model.hosts.keys()].toSorted(), [
    host('productpage'),
    host('ratings'),
    host('reviews'),
  ]);
});

const names = fc.constantFrom('a', 'b', 'c');
const namespaces = fc.constantFrom('default', 'shop', 'heddle-system');
const hosts = fc.constantFrom(
  'a',
  'b',
  host('a'),
  'a.shop.svc.cluster.local',
  '*.default.svc.cluster.local',
  '*.local',
  'x.org',
);
const exportTo = fc.option(fc.constantFrom(['*'], ['.'], ['shop'], ['default', 'shop']), { nil: undefined });

const virtualServices = fc
  .record({
    name: names,
    namespace: namespaces,
    hosts: fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }),
    to: hosts,
    exportTo,
    port: fc.constantFrom(undefined, 80, 90),
  })
  .map((draw): Omit<StoredObject, 'createdRevision'> => {
    const match = draw.port === undefined ? {} : { match: [{ port: draw.port, sourceNamespace: 'shop' }] };
    const route = to(draw.to.startsWith('*') ? 'a' : draw.to);
    const visible = draw.exportTo === undefined ? {} : { exportTo: draw.exportTo };
    return virtualService(`${draw.namespace}/${draw.name}`, {
      hosts: draw.hosts,
      http: [{ ...match, route }],
      ...visible,
    });
  });

const destinationRules = fc
  .record({ name: names, namespace: namespaces, host: hosts, subset: names, exportTo })
  .map((draw): Omit<StoredObject, 'createdRevision'> =>
    destinationRule(
      `${draw.namespace}/${draw.name}`,
      draw.host,
      [draw.subset],
      draw.exportTo === undefined ? {} : { exportTo: draw.exportTo },
    ),
  );

const services = fc
  .record({
    name: names,
    namespace: namespaces,
    ports: fc.uniqueArray(fc.constantFrom(80, 90), { minLength: 1 }),
  })
  .map((draw) => service(`${draw.namespace}/${draw.name}`, ...draw.ports.toSorted((a, b) => a - b)));

test('any sequence of changes ends where compiling everything at once does', () => {
  const step = fc.record({
    object: fc.oneof(virtualServices, destinationRules),
    service: services,
    remove: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const compiler = new MeshCompiler();
      const objects = new Map<string, StoredObject>();
      const known = new Map<string, MeshService>();
      for (const [index, { object: drawn, service: drawnService, remove }] of steps.entries()) {
        const { object } = drawn;
        const id = `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
        const before = compiler.model;
        let change: MeshChange;
        if (remove) {
          objects.delete(id);
          known.delete(drawnService.host);
          change = { deletedObjects: [keyOf(object)], deletedServices: [drawnService.host] };
        } else {
          const createdRevision = objects.get(id)?.createdRevision ?? index;
          objects.set(id, { object, createdRevision });
          known.set(drawnService.host, drawnService);
          change = { objects: [{ object, createdRevision }], services: [drawnService] };
        }
        const { model, changedHosts } = compiler.apply(change);
        const whole = compileMesh({ objects: [...objects.values()], services: [...known.values()] });
        assert.deepEqual(model.hosts, whole.hosts);
        for (const name of new Set([...before.hosts.keys(), ...model.hosts.keys()])) {
          assert.equal(before.hosts.get(name) !== model.hosts.get(name), changedHosts.has(name), name);
        }
      }
    }),
  );
});
