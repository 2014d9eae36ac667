import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { DeltaDiscoveryResponse } from '../generated/envoy/service/discovery/v3/discovery.ts';
import { TypeUrl } from '../type-url.ts';
import type { ResourceSink } from './resource-sink.ts';
import { ResponseReader } from './response-reader.ts';
import { Subscription } from './subscription.ts';

interface Reading {
  readonly reader: ResponseReader;
  readonly subscription: Subscription;
  readonly answers: (readonly [string, string][])[];
}

function read(clock: VirtualClock, sink: Partial<ResourceSink>): Reading {
  const subscription = new Subscription(TypeUrl.routeConfiguration, false);
  for (const name of ['a', 'b']) subscription.add(name, Infinity);
  const answers: (readonly [string, string][])[] = [];
  const reader = new ResponseReader({
    clock,
    sink: { apply: () => null, remove: () => {}, commit: () => {}, ...sink },
    sliceMs: 1,
    subscription: () => subscription,
    onRead: (_, rejected) => answers.push([...rejected]),
  });
  return { reader, subscription, answers };
}

const response = DeltaDiscoveryResponse.fromPartial({
  typeUrl: TypeUrl.routeConfiguration,
  resources: ['a', 'b'].map((name) => ({
    name,
    version: '1',
    resource: { typeUrl: TypeUrl.routeConfiguration, value: Buffer.from(name) },
  })),
});

test('a resource that takes longer than a slice goes on in the next one', () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  const { reader, subscription, answers } = read(clock, {
    *applySteps(_, { name }) {
      for (let step = 0; step < 3; step++) {
        order.push(`${name}${step}`);
        // The first resource's steps use the slice up.
        if (name === 'a') clock.advance(2);
        yield;
      }
      return name === 'b' ? 'no' : null;
    },
  });
  reader.push(response);
  assert.deepEqual(order, ['a0']);
  assert.equal(reader.isBusy, true);
  clock.runUntilIdle();
  assert.deepEqual(order, ['a0', 'a1', 'a2', 'b0', 'b1', 'b2']);
  assert.deepEqual([...subscription.resources.keys()], ['a']);
  assert.deepEqual(answers, [[['b', 'no']]]);
});

test('a resource given up between two steps is not kept', () => {
  const clock = new VirtualClock();
  const { reader, subscription } = read(clock, {
    *applySteps(_, { name }) {
      if (name === 'a') clock.advance(2);
      yield;
      return null;
    },
  });
  reader.push(response);
  subscription.drop('a');
  clock.runUntilIdle();
  assert.deepEqual([...subscription.resources.keys()], ['b']);
});

test('a sink that breaks in the middle of a resource refuses it and takes the next', () => {
  const clock = new VirtualClock();
  const { reader, subscription, answers } = read(clock, {
    *applySteps(_, { name }) {
      yield;
      if (name === 'a') throw new Error('broken');
      return null;
    },
  });
  reader.push(response);
  clock.runUntilIdle();
  assert.deepEqual([...subscription.resources.keys()], ['b']);
  assert.deepEqual(answers, [[['a', 'Internal error: broken']]]);
});
