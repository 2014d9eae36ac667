import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl } from '@heddle/xds';
import { ads, type Harness, rdsListener, route, routes, sidecar } from './config-store-harness.ts';

const { routeConfiguration, virtualHost } = TypeUrl;

function host(name: string, cluster: string, ...domains: string[]) {
  return { name, domains, routes: [route(cluster)] };
}

function accept(harness: Harness, name: string, cluster: string, ...domains: string[]): void {
  harness.accept(virtualHost, `r/${name}`, host(name, cluster, ...domains));
}

/** A sidecar whose routes come one by one from now on; until they have, it routes as before. */
function discovering(): Harness {
  const harness = sidecar();
  harness.accept(routeConfiguration, 'r', { name: 'r', vhds: { configSource: ads } });
  return harness;
}

test('virtual hosts that come by themselves are asked for, and routed by once all of them are there', () => {
  const harness = discovering();
  assert.deepEqual(harness.takeEvents(), ['+vhds r']);
  accept(harness, 'a', 'b', 'x');
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  accept(harness, 'rest', 'a', '*');
  assert.equal(harness.store.commit(virtualHost).size, 0);
  assert.deepEqual(
    ['x', 'y'].map((authority) => harness.send('out', authority)),
    ['10.0.0.1:2', '10.0.0.1:1'],
  );
});

test('a listener is not warm before its virtual hosts have come, or there is none', () => {
  const harness = sidecar();
  harness.accept(routeConfiguration, 'r', { name: 'r', vhds: { configSource: ads } });
  assert.equal(harness.store.isWarm, true, 'the table that is in use stays');
  const fresh = sidecar();
  fresh.store.remove(TypeUrl.listener, 'out');
  fresh.accept(TypeUrl.listener, 'new', rdsListener('new', 'q'));
  fresh.accept(routeConfiguration, 'q', { name: 'q', vhds: { configSource: ads } });
  assert.equal(fresh.store.isWarm, false);
  fresh.store.remove(virtualHost, 'q');
  fresh.store.commit(virtualHost);
  assert.equal(fresh.store.isWarm, true);
});

test('a change of one leaves the others as they are, compiled routes too', () => {
  const harness = discovering();
  accept(harness, 'a', 'a', 'x');
  accept(harness, 'b', 'a', 'y');
  harness.store.commit(virtualHost);
  const before = harness.routesOf('out')!.current!.virtualHosts;
  accept(harness, 'b', 'b', 'y');
  harness.store.commit(virtualHost);
  assert.equal(harness.send('out', 'y'), '10.0.0.1:2');
  assert.equal(harness.routesOf('out')!.current!.virtualHosts[0], before[0]);
  harness.store.remove(virtualHost, 'r/b');
  harness.store.commit(virtualHost);
  assert.equal(harness.send('out', 'y'), 'no route');
});

test('a domain may go from one to another in one response', () => {
  const harness = discovering();
  accept(harness, 'a', 'a', 'x', 'z');
  harness.store.commit(virtualHost);
  accept(harness, 'b', 'b', 'x');
  accept(harness, 'a', 'a', 'z');
  assert.equal(harness.store.commit(virtualHost).size, 0);
  assert.equal(harness.send('out', 'x'), '10.0.0.1:2');
});

test('one that claims a domain of another is refused, and stays as it was', () => {
  const harness = discovering();
  accept(harness, 'b', 'b', 'y');
  accept(harness, 'a', 'a', 'x');
  harness.store.commit(virtualHost);
  accept(harness, 'b', 'b', 'x');
  accept(harness, 'c', 'b', 'new');
  const refused = harness.store.commit(virtualHost);
  assert.deepEqual([...refused.keys()], ['r/b']);
  assert.match(refused.get('r/b') ?? '', /the domain x is in this route configuration already/);
  assert.deepEqual(
    ['x', 'y', 'new'].map((authority) => harness.send('out', authority)),
    ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:2'],
  );
});

test('what is wrong with one is said of it, and nothing changes', () => {
  const harness = discovering();
  assert.match(harness.apply(virtualHost, 'r/a', host('a', 'a')) ?? '', /^domains: must not be empty/);
  assert.match(
    harness.apply(virtualHost, 'r/a', { ...host('a', 'a', 'x'), routes: [{}] }) ?? '',
    /^routes\[0\]\.match/,
  );
});

test('what stands around virtual hosts changes for those that have come, too', () => {
  const harness = discovering();
  accept(harness, 'a', 'a', 'x');
  harness.store.commit(virtualHost);
  assert.equal(harness.send('out', 'x:80'), 'no route');
  harness.accept(routeConfiguration, 'r', {
    name: 'r',
    vhds: { configSource: ads },
    ignorePortInHostMatching: true,
  });
  assert.equal(harness.send('out', 'x:80'), '10.0.0.1:1');
});

test('virtual hosts that do not fit what stands around them any more go', () => {
  const harness = discovering();
  const body = { specifier: { $case: 'inlineString', value: 'too long' } } as const;
  harness.accept(virtualHost, 'r/a', {
    name: 'a',
    domains: ['x'],
    routes: [
      {
        match: { pathSpecifier: { $case: 'prefix', value: '/' } },
        action: { $case: 'directResponse', value: { status: 200, body } },
      },
    ],
  });
  harness.store.commit(virtualHost);
  assert.equal(harness.send('out', 'x'), 'no cluster');
  harness.accept(routeConfiguration, 'r', {
    name: 'r',
    vhds: { configSource: ads },
    maxDirectResponseBodySizeBytes: 3,
  });
  assert.equal(harness.send('out', 'x'), 'no route');
});

test('routes that come whole again end the subscription, as does the listener’s end', () => {
  const harness = discovering();
  accept(harness, 'a', 'a', 'x');
  harness.store.commit(virtualHost);
  harness.takeEvents();
  harness.accept(routeConfiguration, 'r', routes('r', { a: 'a', b: 'b' }));
  assert.ok(harness.takeEvents().includes('-vhds r'));
  assert.equal(harness.send('out', 'x'), 'no route');
  const other = discovering();
  other.takeEvents();
  other.store.remove(TypeUrl.listener, 'out');
  assert.ok(other.takeEvents().includes('-vhds r'));
});

test('virtual hosts come by the stream that everything else comes by', () => {
  const harness = sidecar();
  assert.match(
    harness.apply(routeConfiguration, 'r', { name: 'r', vhds: {} }) ?? '',
    /^vhds\.config_source: needs ads/,
  );
});
