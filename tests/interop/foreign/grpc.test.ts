// gRPC's own xDS (@grpc/grpc-js-xds) as the data plane of workloads, in a mesh with Heddle's sidecars.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, skipWithout } from '@heddle/testkit';
import { Mesh, type Workload } from '../../e2e/support/mesh.ts';
import { findGrpcXds } from './grpc-xds.ts';

const skip = skipWithout({ '@grpc/grpc-js-xds': findGrpcXds() });
const app = (...words: string[]): string[] => [
  process.execPath,
  join(import.meta.dirname, 'grpc-app.ts'),
  ...words,
];
const byXds = ['--proxy', 'grpc'];
const bySidecar = ['--protocol', 'grpc'];

/** Who answered, and whose certificate each was shown. */
class Caller {
  private readonly port: string;

  constructor(port: string) {
    this.port = port;
  }

  static async of(workload: Workload): Promise<Caller> {
    const [, port] = await workload.run.line(/^client on (\d+)$/);
    return new Caller(port!);
  }

  async ask(target: string, count = 1, headers: readonly string[] = []): Promise<readonly string[]> {
    const parameters = new URLSearchParams([
      ['target', target],
      ['count', String(count)],
    ]);
    for (const header of headers) parameters.append('header', header);
    return (await (
      await fetch(`http://127.0.0.1:${this.port}/?${parameters.toString()}`)
    ).json()) as string[];
  }

  async counts(
    target: string,
    count: number,
    headers: readonly string[] = [],
  ): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const answer of await this.ask(target, count, headers)) {
      const who = answer.startsWith('failed') ? answer : answer.split(' ')[0]!;
      counts[who] = (counts[who] ?? 0) + 1;
    }
    return counts;
  }
}

const identity = (name: string): string => `spiffe://cluster.local/ns/default/sa/${name}`;

const object = (kind: string, spec: object, group = 'networking'): string =>
  JSON.stringify({ apiVersion: `${group}.istio.io/v1`, kind, metadata: { name: 'who' }, spec });

const to = (subset: string, weight = 100): object => ({ destination: { host: 'who', subset }, weight });

test('gRPC clients and servers are balanced, routed and secured by xDS', { skip }, async () => {
  await using mesh = await Mesh.start();
  const client = mesh.startWorkload('client', app('client'), { port: 0, flags: byXds });
  const stranger = mesh.startWorkload('stranger', app('client'), { port: 0, flags: byXds });
  const [one] = await Promise.all([
    mesh.publish('who', app('serve', 'one'), { version: 'v1', flags: bySidecar }),
    mesh.publish('who', app('serve-xds', 'two'), { version: 'v2', flags: byXds }),
  ]);
  const caller = await Caller.of(client);

  // Balanced over a sidecar and a server of its own; both are shown the caller's certificate.
  const target = 'xds:///who.default:9080';
  await eventually('both are reached', async () => Object.keys(await caller.counts(target, 20)).length === 2);
  assert.deepEqual(await caller.counts(target, 20), { one: 10, two: 10 });
  assert.deepEqual([...new Set(await caller.ask(target, 4))].sort(), [
    `one ${identity('client')}`,
    `two ${identity('client')}`,
  ]);

  // A sidecar reaches both, too: the application beside it speaks plain gRPC.
  const { port } = new URL((await mesh.client(['who:9080'])).url('who'));
  await eventually('both are reached through the sidecar', async () => {
    const answers = await caller.ask(`127.0.0.1:${port}`, 4);
    return new Set(answers).size === 2 && answers.every((answer) => answer.endsWith(identity('client')));
  });

  await mesh.apply(
    object('DestinationRule', {
      host: 'who',
      subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
    }),
  );
  await mesh.apply(
    object('VirtualService', {
      hosts: ['who'],
      http: [
        { match: [{ headers: { 'x-user': { exact: 'me' } } }], route: [to('v2')] },
        { route: [to('v1', 75), to('v2', 25)] },
      ],
    }),
  );
  await eventually('the header leads to v2', async () => {
    const counts = await caller.counts(target, 10, ['x-user:me']);
    return counts['two'] === 10;
  });
  const { one: ones = 0, two: twos = 0 } = await caller.counts(target, 400);
  assert.equal(ones + twos, 400);
  // Seven standard deviations.
  assert.ok(Math.abs(twos - 100) < 61, `${twos} of 400 with a weight of 25 in 100`);

  // Who may call is the server's affair.
  const other = await Caller.of(stranger);
  await mesh.apply(object('VirtualService', { hosts: ['who'], http: [{ route: [to('v2')] }] }));
  await eventually('all go to v2', async () => (await other.counts(target, 10))['two'] === 10);
  await mesh.apply(
    object(
      'AuthorizationPolicy',
      {
        action: 'ALLOW',
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/default/sa/client'] } }] }],
      },
      'security',
    ),
  );
  await eventually('a stranger is refused', async () =>
    (await other.ask(target))[0]!.startsWith('failed 7 '),
  );
  assert.deepEqual(await caller.counts(target, 5), { two: 5 });

  // Gone endpoints are gone.
  await mesh.apply(
    object('VirtualService', { hosts: ['who'], http: [{ route: [{ destination: { host: 'who' } }] }] }),
  );
  await eventually('both are reached', async () => Object.keys(await caller.counts(target, 20)).length === 2);
  one.run.kill('SIGTERM');
  await one.run.ended();
  assert.deepEqual(await caller.counts(target, 10), { two: 10 });
  for (const { rejected } of await mesh.proxies()) assert.deepEqual(rejected, []);
});
