import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '@heddle/base';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import type { RpcClient, RpcStreamHandler } from '@heddle/xds';
import { LeaseResponse } from '@heddle/xds/api/heddle/mesh/v1/instance.ts';
import { InstanceLease } from './instance-lease.ts';

const denied = { code: 7, message: 'Not you.' };

/** A lease whose streams the test answers. */
function makeLease() {
  const clock = new VirtualClock();
  const streams: RpcStreamHandler[] = [];
  const refusals: string[] = [];
  const rpc: RpcClient = {
    openStream: (_method, handler) => {
      streams.push(handler);
      return { send: () => true, end: () => {}, cancel: () => {} };
    },
    call: () => assert.fail('a lease makes no calls'),
    close: () => {},
  };
  const lease = new InstanceLease({
    rpc,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    instance: {
      instance: 'k9-1',
      namespace: 'default',
      service: 'k9',
      servicePort: 80,
      protocol: 'http',
      address: '127.0.0.1',
      port: 1,
      labels: {},
      tunnel: 'h2',
    },
    onPublished: () => {},
    onRefused: (message) => refusals.push(message),
  });
  lease.publish();
  return { clock, streams, refusals, lease };
}

function published(): Uint8Array {
  const value = { leaseMs: 5000, renewMs: 1250 };
  return LeaseResponse.encode({ response: { $case: 'published', value } }).finish();
}

describe('the lease of an instance', () => {
  it('says once that it is refused, and asks again each half minute', async () => {
    const { clock, streams, refusals, lease } = makeLease();
    streams[0]!.onEnd(denied);
    assert.deepEqual(refusals, ['Not you.']);
    await clock.advanceAsync(14_000);
    assert.equal(streams.length, 1);
    await clock.advanceAsync(16_000);
    assert.equal(streams.length, 2);
    streams[1]!.onEnd(denied);
    assert.deepEqual(refusals, ['Not you.']);
    lease.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('says so again after the instance has been published in between', async () => {
    const { clock, streams, refusals, lease } = makeLease();
    streams[0]!.onEnd(denied);
    await clock.advanceAsync(30_000);
    streams[1]!.onMessage(published());
    streams[1]!.onEnd(denied);
    assert.deepEqual(refusals, ['Not you.', 'Not you.']);
    lease.close();
  });

  it('takes a lost stream for no refusal, and publishes again within a moment', async () => {
    const { clock, streams, refusals, lease } = makeLease();
    streams[0]!.onEnd({ code: 14, message: 'gone' });
    await clock.advanceAsync(250);
    assert.equal(streams.length, 2);
    assert.deepEqual(refusals, []);
    lease.close();
  });
});
