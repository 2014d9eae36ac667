import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatKey, GatewayWorld, keyOf } from '@heddle/model';
import { makeMeshWorld } from '../testing/mesh-world.ts';
import { ObjectStatuses } from './object-status.ts';

test('says of a policy how many of the workloads that it is for have it, and what of it denies for want of a way to decide', async () => {
  const world = await makeMeshWorld();
  const sidecars = ['a-1', 'a-2', 'b-1'].map((instance) =>
    world.connect({ instance, service: instance.slice(0, 1) }),
  );
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]
`;
  const statusOf = () => {
    const { controlPlane } = world;
    const statuses = new ObjectStatuses(
      controlPlane.model,
      controlPlane.policies,
      controlPlane.configuration.findings(),
      controlPlane.ads.status(),
      (...of) => controlPlane.withheld(...of),
      () => new GatewayWorld([], []),
    );
    const found = controlPlane.mirror.list().find(({ object }) => formatKey(keyOf(object)).endsWith('/a'));
    return statuses.describe(found ?? assert.fail()).status;
  };
  await world.settle();
  sidecars[1]!.isMute = true;
  assert.ok((await world.apply(text)).ok);
  await world.settle();
  assert.deepEqual(statusOf().proxies, { acknowledged: 1, total: 2 });
  sidecars[1]!.speak();
  await world.settle();
  assert.deepEqual(statusOf().proxies, { acknowledged: 2, total: 2 });
  assert.deepEqual(
    statusOf().warnings.map(({ code, path }) => `${code} ${path}`),
    ['HEDDLE_FAILS_CLOSED spec.rules[0].from[0].source.requestPrincipals'],
  );
});
