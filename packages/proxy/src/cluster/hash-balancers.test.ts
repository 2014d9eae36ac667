// The endpoints that requests with a hash go to. The picks are those of Envoy 1.40 with the same endpoints, weights and
// policies: digits are places in the list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import { Hash64 } from '../hash/hash64.ts';
import { HashPolicy, type HashSource } from '../routing/hash-policy.ts';
import { testRequest, type TestRequest } from '../routing/request-view-harness.ts';
import { Endpoint, type EndpointPool } from './endpoint.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { Maglev } from './maglev.ts';
import { RingHash } from './ring-hash.ts';

const noPool: EndpointPool = { close: () => undefined, dropConnections: () => undefined };

function endpoints(...weights: number[]): Endpoint<EndpointPool>[] {
  return weights.map(
    (weight, index) => new Endpoint(`127.0.1.${index + 1}`, 18_089, weight, 'healthy', () => noPool),
  );
}

const even = endpoints(1, 1, 1, 1);
const uneven = endpoints(1, 1, 2, 3);
const source = (kind: HashSource['kind'], name: string, isTerminal = false): HashSource => ({
  kind,
  name,
  isTerminal,
});
const policy = new HashPolicy([
  source('header', 'x-user'),
  source('query-parameter', 'q'),
  source('cookie', 'c'),
]);
const random = new SeededRandom('picks');

function pick(balancer: LoadBalancer<EndpointPool>, request: TestRequest, pickAttempt = 0): number {
  const hash = new Hash64();
  const pickHash = policy.hash(testRequest(request), '', hash) ? hash : null;
  const origin = { originalDestination: null, requestHeader: () => null, pickHash, pickAttempt };
  return Number(balancer.pick(random, '', origin)!.host.at(-1)) - 1;
}

function picks(
  balancer: LoadBalancer<EndpointPool>,
  count: number,
  request: (i: number) => TestRequest,
): string {
  return Array.from({ length: count }, (_, i) => pick(balancer, request(i))).join('');
}

const user = (i: number): TestRequest => ({ headers: { 'x-user': `user-${i}` } });
const ring = { minimum: 1024, maximum: 8_388_608 };
const smallRing = { ...ring, minimum: 100 };

test("stands endpoints where Envoy's ring has them", () => {
  assert.equal(
    picks(new RingHash(uneven, ring), 64, user),
    '2120331233333001012302233233221222333312113311303023320233332203',
  );
  assert.equal(
    picks(new RingHash(even, smallRing), 64, user),
    '2110330103133330321333013310301220133110112301131312020211233303',
  );
});

test("fills Envoy's tables", () => {
  assert.equal(
    picks(new Maglev(uneven, 65_537), 64, user),
    '3332300121331220322000300332321333132322212302023103111202120302',
  );
  assert.equal(
    picks(new Maglev(even, 65_537), 64, user),
    '3112300111331220322000000302221313132322210102023102111202120302',
  );
  assert.equal(
    picks(new Maglev(uneven, 103), 64, user),
    '3123323331233103333203023320330210320222321300322123032130023333',
  );
});

test('joins hashes, and those of several fields of one name, as Envoy does', () => {
  const balancer = new RingHash(even, smallRing);
  const combined = (i: number): TestRequest => ({
    path: `/ringeven?q=p${i}`,
    headers: { 'x-user': `u${i}`, cookie: `a=b; c="v${i}"` },
  });
  assert.equal(picks(balancer, 16, combined), '2200223312123120');
  const several = (i: number): TestRequest => ({ headers: { 'x-user': [`b${i}`, `a${i}`] } });
  assert.equal(picks(balancer, 16, several), '1023133000233030');
});

test('asks nobody behind a source that decides', () => {
  const hash = new Hash64();
  const alone = new Hash64();
  const sources = [source('header', 'a', true), source('header', 'b')];
  const request = testRequest({ headers: { a: '1', b: '2' } });
  assert.ok(new HashPolicy(sources).hash(request, '', hash));
  assert.ok(new HashPolicy([source('header', 'a')]).hash(request, '', alone));
  assert.deepEqual(hash, alone);
  assert.ok(new HashPolicy(sources).hash(testRequest({ headers: { b: '2' } }), '', hash));
  assert.equal(new HashPolicy(sources).hash(testRequest(), '', hash), false);
  assert.ok(new HashPolicy([source('source-ip', '')]).hash(request, '10.0.0.1', hash));
});

test('takes any endpoint without a hash, and others when those of the hash are turned down', () => {
  for (const balancer of [new RingHash(even, ring), new Maglev(even, 65_537)]) {
    const any = new Set(Array.from({ length: 200 }, () => pick(balancer, {})));
    assert.equal(any.size, 4);
    const tries = new Set(Array.from({ length: 30 }, (_, attempt) => pick(balancer, user(1), attempt)));
    assert.ok(tries.size > 1);
    assert.equal(balancer.pick(random, '', null) === null, false);
  }
  assert.equal(new RingHash([], ring).pick(random, '', null), null);
  assert.equal(new Maglev([], 103).pick(random, '', null), null);
});
