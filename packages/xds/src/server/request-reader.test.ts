import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltaDiscoveryRequest } from '../generated/envoy/service/discovery/v3/discovery.ts';
import type { DeepPartial } from '../message-types.ts';
import { RequestReader } from './request-reader.ts';

const names = Array.from({ length: 50 }, (_, index) => `outbound|80||svc-${index}.default.svc.cluster.local`);

function encoded(request: DeepPartial<DeltaDiscoveryRequest>): Uint8Array {
  return DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(request)).finish();
}

test('what is asked in the same words is read once', () => {
  const reader = new RequestReader();
  const first = reader.decode(encoded({ typeUrl: 't', resourceNamesSubscribe: names }));
  assert.deepEqual(first.resourceNamesSubscribe, names);
  assert.equal(reader.decode(encoded({ typeUrl: 't', resourceNamesSubscribe: names })), first);
  const other = reader.decode(encoded({ typeUrl: 'u', resourceNamesSubscribe: names }));
  assert.equal(other.typeUrl, 'u');
});

test('acknowledgements, large requests and those that say who asks are not kept', () => {
  const reader = new RequestReader();
  const requests = [
    { typeUrl: 't', responseNonce: '1' },
    { typeUrl: 't', resourceNamesSubscribe: [...names, 'x'.repeat(16_384)] },
    { typeUrl: 't', resourceNamesSubscribe: names, node: { id: 'n', cluster: '' } },
  ];
  for (const request of requests) {
    const first = reader.decode(encoded(request));
    assert.notEqual(reader.decode(encoded(request)), first);
    assert.deepEqual(reader.decode(encoded(request)), first);
  }
});

test('only so much is kept, however many different requests there are', () => {
  const reader = new RequestReader();
  const request = (index: number) =>
    encoded({ typeUrl: 't', resourceNamesSubscribe: [`${index}`, 'x'.repeat(16_000)] });
  const first = reader.decode(request(0));
  for (let index = 1; index < 70; index++) reader.decode(request(index));
  assert.notEqual(reader.decode(request(0)), first);
});

test('bytes that are no request are refused each time', () => {
  const reader = new RequestReader();
  const broken = Buffer.alloc(300, 0xff);
  for (let round = 0; round < 2; round++) assert.throws(() => reader.decode(broken));
});
