import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service, to, virtualService } from '../testing/objects.ts';
import { compileMesh, viewOf } from './mesh-compiler.ts';
import type { FaultRule } from './route-model.ts';

function faultOf(fault: object): FaultRule | null {
  const object = virtualService('web', { hosts: ['web'], http: [{ route: to('web'), fault }] });
  const model = compileMesh({ objects: [object], services: [service('web', 80)] });
  return viewOf(model.hosts.get('web.default.svc.cluster.local')!, 'default').ports[0]!.rules[0]!.fault;
}

test('delays and aborts as many requests as it says, none where it says nothing', () => {
  assert.deepEqual(
    faultOf({
      delay: { fixedDelay: '7s', percentage: { value: 0.5 } },
      abort: { httpStatus: 500, percentage: { value: 100 } },
    }),
    { delay: { ms: 7000, percent: 0.5 }, abort: { kind: 'http', status: 500, percent: 100 } },
  );
  assert.deepEqual(faultOf({ delay: { fixedDelay: '1s', percent: 10 } }), {
    delay: { ms: 1000, percent: 10 },
    abort: null,
  });
  assert.equal(faultOf({ delay: { fixedDelay: '7s' }, abort: { httpStatus: 500 } }), null);
});

test('aborts with a status of gRPC by its name', () => {
  const abort = { grpcStatus: 'UNAVAILABLE', percentage: { value: 1 } };
  assert.deepEqual(faultOf({ abort })?.abort, { kind: 'grpc', status: 14, percent: 1 });
});
