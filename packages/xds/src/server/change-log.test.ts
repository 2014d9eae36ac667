import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { encodeResource } from './encode-resource.ts';
import type { ResourceChange, ResourceSource } from './resource-source.ts';
import { DeltaServer } from './delta-server.ts';
import { settle, TestClient } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';

test('whom a change concerns is asked when it is told, also where it is sent later', async () => {
  const clock = new VirtualClock();
  let tell: (changes: readonly ResourceChange[]) => void = () => undefined;
  let version = 1;
  const source: ResourceSource = {
    get: (_client, typeUrl, name) => encodeResource(typeUrl, name, String(version), new Uint8Array(0)),
    list: () => ['a'],
    watch: (listener) => {
      tell = listener;
      return () => undefined;
    },
  };
  const server = new DeltaServer({ source, clock, mergeWindowMs: 50 });
  const client = new TestClient(server);
  await client.subscribe(TypeUrl.clusterLoadAssignment, 'a');
  await client.takeAndAck();
  tell([{ typeUrl: TypeUrl.secret }]);
  version = 2;
  let isConcerned = true;
  tell([{ typeUrl: TypeUrl.clusterLoadAssignment, names: new Set(['a']), concerns: () => isConcerned }]);
  isConcerned = false;
  await settle();
  clock.advance(50);
  assert.deepEqual((await client.takeAndAck()).resources, ['a@2']);
});
