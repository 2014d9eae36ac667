// The control plane is killed with SIGKILL at random points of a thousand writes: what it has acknowledged is there, and
// of what it has not, all or nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryResponse, ObjectWithStatus, ResourcesResponse } from '@heddle/control-plane';
import { EtcdServer, eventually, SeededRandom, skipWithout } from '@heddle/testkit';
import { Mesh } from '../../e2e/support/mesh.ts';

const wanted = 1000;
const writers = 4;
/** Objects that each write changes at once: they must never differ. */
const partsOfOne = 3;
const names = 12;

function manifests(name: string, marker: number): string {
  return Array.from(
    { length: partsOfOne },
    (_, part) => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}-${part} }
spec:
  hosts: [${name}-${part}.example.com]
  http: [{ match: [{ uri: { exact: "/write-${marker}" } }], route: [{ destination: { host: nowhere } }] }]
`,
  ).join('');
}

function markerOf({ spec }: ObjectWithStatus): number {
  return Number(/write-(\d+)/.exec(JSON.stringify(spec))?.[1] ?? -1);
}

/** What is known of one name: the last marker that was acknowledged, and one on its way that may have been stored. */
interface Expected {
  acknowledged: number;
  pending: number;
}

class Writers {
  readonly expected = new Map<string, Expected>();
  acknowledged = 0;
  private next = 0;
  private isStopped = false;

  /** Writes until the control plane is gone; each writer has names of its own. */
  async run(mesh: Mesh): Promise<void> {
    this.isStopped = false;
    await Promise.all(Array.from({ length: writers }, async (_, writer) => await this.write(mesh, writer)));
  }

  stop(): void {
    this.isStopped = true;
  }

  private async write(mesh: Mesh, writer: number): Promise<void> {
    for (let index = writer; !this.isStopped; index += writers) {
      const name = `object-${index % names}`;
      const marker = this.next++;
      const expected = this.expected.get(name) ?? { acknowledged: -1, pending: -1 };
      this.expected.set(name, expected);
      expected.pending = marker;
      try {
        await mesh.apply(manifests(name, marker));
      } catch {
        return;
      }
      expected.acknowledged = marker;
      this.acknowledged++;
    }
  }
}

async function check(mesh: Mesh, { expected }: Writers): Promise<void> {
  const { items } = await mesh.api<ResourcesResponse>('resources/virtualservices');
  const stored = new Map(items.map((item) => [item.metadata.name, markerOf(item)]));
  for (const [name, known] of expected) {
    const markers = Array.from({ length: partsOfOne }, (_, part) => stored.get(`${name}-${part}`) ?? -1);
    assert.equal(new Set(markers).size, 1, `${name} is half written: ${markers.join(', ')}`);
    const [found = -1] = markers;
    assert.ok(
      found === known.acknowledged || found === known.pending,
      `${name} was acknowledged with ${known.acknowledged} and holds ${found}`,
    );
    // What was found is what counts from now on.
    known.acknowledged = found;
  }
}

async function killAtRandom(mesh: Mesh, seed: number): Promise<number> {
  const random = new SeededRandom(seed);
  const all = new Writers();
  let kills = 0;
  while (all.acknowledged < wanted) {
    const writing = all.run(mesh);
    // After any of the next two hundred writes, somewhere on the way of another.
    const last = all.acknowledged + Math.floor(random.float() * 200);
    await eventually('some are acknowledged', () => all.acknowledged >= last, 60_000, 2);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, random.float() * 20);
    await promise;
    await mesh.killControlPlane();
    all.stop();
    await writing;
    kills++;
    await mesh.startControlPlane();
    await check(mesh, all);
  }
  const { entries } = await mesh.api<HistoryResponse>('history?limit=1000');
  const newest = entries[0]?.revision ?? 0;
  assert.deepEqual(
    entries.map(({ revision }) => revision),
    entries.map((_, index) => newest - index),
    'the history has no gap',
  );
  assert.ok(entries.every(({ changes }) => changes.length === partsOfOne));
  assert.ok(newest >= all.acknowledged);
  return kills;
}

test('killed while writing to SQLite: no acknowledged write is lost, none is half applied', async (t) => {
  await using mesh = await Mesh.start();
  t.diagnostic(`${await killAtRandom(mesh, 1)} kills during ${wanted} writes`);
});

const skip = skipWithout({ etcd: EtcdServer.find() });

test('killed while writing to etcd: the same', { skip }, async (t) => {
  await using etcd = await EtcdServer.start();
  await using mesh = await Mesh.start(['--datastore', `etcd://${etcd.endpoint}/killed`]);
  t.diagnostic(`${await killAtRandom(mesh, 2)} kills during ${wanted} writes`);
});
