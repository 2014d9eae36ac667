import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel, systemRandom } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { Endpoint, type EndpointPool } from './endpoint.ts';
import { OriginalDestination, type OriginalDestinationConfig } from './original-destination.ts';

function setUp(changes: Partial<OriginalDestinationConfig> = {}) {
  const clock = new VirtualClock();
  const timers = new TimerWheel(clock);
  const pool: EndpointPool = { close: () => undefined, dropConnections: () => undefined };
  let invalid = 0;
  const balancer = new OriginalDestination<EndpointPool>(
    { headerName: null, portOverride: 0, cleanupMs: 5000, ...changes },
    timers,
    (host, port) => new Endpoint(host, port, 1, 'healthy', () => pool),
    () => invalid++,
  );
  const pick = (destination: string | null, header: string | null = null): Endpoint<EndpointPool> | null => {
    const [host = '', port = ''] = destination?.split(' ') ?? [];
    return balancer.pick(systemRandom, 'ignored', {
      originalDestination: destination === null ? null : { host, port: Number(port) },
      requestHeader: () => header,
      pickHash: null,
      pickAttempt: 0,
    });
  };
  return { clock, balancer, pick, invalidCount: () => invalid };
}

test('a connection goes where it wanted to go, and the next one to the same endpoint', () => {
  const { pick } = setUp();
  const first = pick('10.0.0.1 80');
  assert.equal(first?.address, '10.0.0.1:80');
  assert.equal(pick('10.0.0.1 80'), first);
  assert.notEqual(pick('10.0.0.1 81'), first);
  assert.equal(pick('::1 80')?.address, '[::1]:80');
  assert.equal(pick(null), null);
});

test('another port can be told', () => {
  assert.equal(setUp({ portOverride: 15_006 }).pick('10.0.0.1 80')?.address, '10.0.0.1:15006');
});

test('a header overrides the destination only where it may', () => {
  assert.equal(setUp().pick('10.0.0.1 80', '10.0.0.2:81')?.address, '10.0.0.1:80');
  const { pick, invalidCount } = setUp({ headerName: 'x-envoy-original-dst-host' });
  assert.equal(pick('10.0.0.1 80', '10.0.0.2:81')?.address, '10.0.0.2:81');
  assert.equal(pick('10.0.0.1 80')?.address, '10.0.0.1:80');
  for (const header of ['example.com:80', '10.0.0.2', '10.0.0.2:0', '10.0.0.2:99999', '', '[::1']) {
    assert.equal(pick('10.0.0.1 80', header), null, header);
  }
  assert.equal(invalidCount(), 6);
});

test('endpoints that nobody uses are forgotten, those with connections not', () => {
  const { clock, balancer, pick } = setUp();
  const busy = pick('10.0.0.1 80')!;
  const idle = pick('10.0.0.2 80')!;
  busy.connections = 1;
  clock.advance(6000);
  assert.equal(balancer.endpoints.length, 2);
  clock.advance(6000);
  assert.deepEqual(balancer.endpoints, [busy]);
  assert.equal(idle.isRemoved, true);
  busy.connections = 0;
  clock.advance(6000);
  assert.deepEqual(balancer.endpoints, []);
  clock.advance(6000);
  assert.equal(clock.pendingTimers, 0);
});

test('closing forgets all and stops the clock', () => {
  const { clock, balancer, pick } = setUp();
  const endpoint = pick('10.0.0.1 80');
  balancer.close();
  clock.advance(1000);
  assert.equal(endpoint?.isRemoved, true);
  assert.equal(clock.pendingTimers, 0);
});
