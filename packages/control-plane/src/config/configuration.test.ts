import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Problem } from '@heddle/base';
import type { ApplyResult } from '../api/types.ts';
import { makeMeshWorld, type MeshWorld } from '../testing/mesh-world.ts';

const rule = `
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
`;

function routes(subset: string, extra = ''): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: ${subset}}
${extra}`;
}

async function worldWithReviews(): Promise<MeshWorld> {
  const world = await makeMeshWorld();
  world.connect({ instance: 'reviews-1', service: 'reviews' }).publish().keep(world.clock);
  await world.settle();
  return world;
}

async function applied(
  world: MeshWorld,
  yaml: string,
  options?: { strict?: boolean; dryRun?: boolean },
): Promise<readonly ApplyResult[]> {
  const outcome = await world.apply(yaml, options);
  assert.ok(outcome.ok, outcome.ok ? '' : JSON.stringify(outcome.error));
  return outcome.value.results;
}

async function refused(
  world: MeshWorld,
  yaml: string,
  options?: { strict?: boolean },
): Promise<readonly Problem[]> {
  const outcome = await world.apply(yaml, options);
  return outcome.ok ? assert.fail('it was stored') : outcome.error;
}

describe('applying', () => {
  it('stores what has no effect yet and says so, and of what it only reads that it is not stored', async () => {
    const world = await makeMeshWorld();
    const results = await applied(
      world,
      `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: nobody}
spec: {}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio}
data: {mesh: 'trustDomain: shop'}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {tls.key: secret}
`,
    );
    const told = results.map(
      ({ kind, change, warnings }) => `${kind} ${change} ${warnings.map(({ code }) => code).join()}`,
    );
    assert.deepEqual(told, [
      'Telemetry created HEDDLE_NO_EFFECT_YET',
      'ConfigMap created HEDDLE_NO_EFFECT_YET',
      'Secret skipped HEDDLE_NO_EFFECT_YET',
    ]);
    const stored = world.controlPlane.mirror.list().map(({ object }) => JSON.stringify(object.spec));
    assert.deepEqual(stored, ['{"data":{"mesh":"trustDomain: shop"}}', '{}']);
  });

  it('refuses with strict what would have no effect', async () => {
    const world = await makeMeshWorld();
    const yaml = 'apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: a}\nspec: {}\n';
    const [problem] = await refused(world, yaml, { strict: true });
    assert.equal(problem?.code, 'HEDDLE_NO_EFFECT_YET');
  });

  it('says what it created, configured and left as it was', async () => {
    const world = await worldWithReviews();
    const changes = (results: readonly ApplyResult[]): string[] =>
      results.map(({ kind, namespace, name, change }) => `${kind} ${namespace}/${name} ${change}`);
    assert.deepEqual(changes(await applied(world, rule)), ['DestinationRule default/reviews created']);
    const reordered = rule.replace('kind: DestinationRule\n', '') + 'kind: DestinationRule # moved\n';
    assert.deepEqual(changes(await applied(world, `${reordered}---${routes('v1')}`)), [
      'DestinationRule default/reviews unchanged',
      'VirtualService default/reviews created',
    ]);
    assert.equal(world.controlPlane.mirror.revision, 2);
    assert.deepEqual(changes(await applied(world, rule.replace('v1}', 'v2}'))), [
      'DestinationRule default/reviews configured',
    ]);
  });

  it('stores nothing of several files when one of them has an error, and names its place', async () => {
    const world = await worldWithReviews();
    const problems = await refused(world, `${rule}---${routes('v1').replace('route:', 'rout:')}`);
    assert.equal(problems[0]?.code, 'HEDDLE_UNKNOWN_FIELD');
    assert.equal(problems[0].file, 'test.yaml');
    assert.ok((problems[0].line ?? 0) > 9);
    assert.equal((await world.configStore.read()).objects.length, 0);
  });

  it('stores a reference to nothing with a warning, and refuses it when told to be strict', async () => {
    const world = await worldWithReviews();
    const problems = await refused(world, routes('missing'), { strict: true });
    assert.deepEqual(
      problems.map(({ code, severity, file }) => [code, severity, file]),
      [['IST0101', 'error', 'test.yaml']],
    );
    assert.equal(world.controlPlane.mirror.list().length, 0);
    const [result] = await applied(world, routes('missing'));
    assert.deepEqual(
      result?.warnings.map(({ code, severity, line }) => [code, severity, line]),
      [['IST0101', 'warning', 9]],
    );
  });

  it('judges a batch as a whole: a rule and the subset it needs may come together', async () => {
    const world = await worldWithReviews();
    const results = await applied(world, `${routes('v1')}---${rule}`, { strict: true });
    assert.deepEqual(
      results.map(({ warnings }) => warnings),
      [[], []],
    );
  });

  it('stores nothing on a dry run', async () => {
    const world = await worldWithReviews();
    const [result] = await applied(world, rule, { dryRun: true });
    assert.equal(result?.change, 'created');
    assert.equal((await world.configStore.read()).revision, 0);
  });

  it('judges again when somebody else changes an object meanwhile', async () => {
    const world = await worldWithReviews();
    const outcomes = await Promise.all([world.apply(rule), world.apply(rule.replace('v1}', 'v2}'))]);
    assert.ok(outcomes.every(({ ok }) => ok));
    assert.equal(world.controlPlane.mirror.revision, 2);
  });

  it('re-evaluates warnings when services come and go', async () => {
    const world = await worldWithReviews();
    await applied(world, `${routes('v1')}---${rule}`);
    const codes = (): string[] =>
      [...world.controlPlane.configuration.findings().values()].flat().map(({ code }) => code);
    assert.deepEqual(codes(), []);
    const lease = world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    await world.settle();
    lease.withdraw();
    await world.clock.advanceAsync(6000);
    assert.deepEqual(codes(), [], 'a service that restarts is still known');
    await world.clock.advanceAsync(600_000);
    assert.ok(codes().includes('IST0101'));
  });
});

describe('deleting', () => {
  it('deletes what is there and says what is not', async () => {
    const world = await worldWithReviews();
    await applied(world, rule);
    const outcome = await world.delete(`${rule}---${routes('v1')}`);
    assert.ok(outcome.ok);
    assert.deepEqual(
      outcome.value.results.map(({ kind, change }) => [kind, change]),
      [
        ['DestinationRule', 'deleted'],
        ['VirtualService', 'not-found'],
      ],
    );
    assert.deepEqual(world.controlPlane.mirror.list(), []);
  });

  it('needs no valid spec', async () => {
    const world = await worldWithReviews();
    await applied(world, rule);
    const outcome = await world.delete(rule.replace('subsets:', 'subset:'));
    assert.ok(outcome.ok);
    assert.equal(outcome.value.results[0]?.change, 'deleted');
  });
});
