import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBackend } from '../core/api-backend.ts';
import { makeMeshWorld, type MeshWorld } from '../testing/mesh-world.ts';
import type { ApiBackend } from '../api/backend.ts';
import type { RollbackRequest, RollbackResponse } from '../api/types.ts';

function rule(name: string, version: string): string {
  return `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}}
spec:
  host: ${name}
  subsets:
  - {name: v1, labels: {version: ${version}}}
`;
}

function backendOf(world: MeshWorld): ApiBackend {
  return createBackend({
    controlPlane: world.controlPlane,
    clock: world.clock,
    version: '0.1.0',
    issuer: {
      trustDomain: 'cluster.local',
      bundlePem: '',
      rootNotAfterMs: 0,
      issueWorkload: () => assert.fail(),
    },
    addresses: () => ({ apiAddress: 'a:1', xdsAddress: 'b:2', joinAddress: 'c:3' }),
    issued: async () => [],
    createJoinToken: async () => ({ token: '' }),
    joinTokens: { list: async () => [], revoke: async () => false },
  });
}

/** Revision 1: a, b; 2: a changed; 3: c made; 4: b deleted; 5: c changed. */
async function worldWithHistory(): Promise<{ world: MeshWorld; backend: ApiBackend }> {
  const world = await makeMeshWorld();
  const must = async (outcome: Promise<{ ok: boolean }>): Promise<void> => assert.ok((await outcome).ok);
  await must(world.apply(rule('a', 'v1') + rule('b', 'v1')));
  await must(world.apply(rule('a', 'v2')));
  await must(world.apply(rule('c', 'v1')));
  await must(world.delete(rule('b', 'v1')));
  await must(world.apply(rule('c', 'v2')));
  return { world, backend: backendOf(world) };
}

/** `a=v1` for each object there is. */
function state(world: MeshWorld): string {
  return world.controlPlane.mirror
    .list()
    .map(({ stored }) => `${stored.name}=${/"version":"(\w+)"/.exec(stored.source)?.[1]}`)
    .join(' ');
}

async function back(backend: ApiBackend, request: RollbackRequest): Promise<RollbackResponse> {
  const outcome = await backend.rollback(request, { subject: 'alice', namespace: null });
  assert.ok(outcome !== null);
  return outcome.ok ? outcome.value : assert.fail(JSON.stringify(outcome.error));
}

describe('going back', () => {
  it('makes everything what it was, as one more change with its author', async () => {
    const { world, backend } = await worldWithHistory();
    assert.equal(state(world), 'a=v2 c=v2');
    const { toRevision, revision, results } = await back(backend, { toRevision: 1 });
    assert.deepEqual([toRevision, revision], [1, 6]);
    assert.deepEqual(
      results.map(({ name, change }) => `${name} ${change}`),
      ['a configured', 'c deleted', 'b created'],
    );
    assert.equal(state(world), 'a=v1 b=v1');
    const history = await backend.history(10, undefined);
    assert.deepEqual(
      history?.entries.map(({ revision: number, author }) => `${number} ${author}`),
      ['6 alice', '5 test', '4 test', '3 test', '2 test', '1 test'],
    );
    // And forward again, which is back to a later revision.
    await back(backend, { toRevision: 5 });
    assert.equal(state(world), 'a=v2 c=v2');
  });

  it('undoes the last change where no revision is named', async () => {
    const { world, backend } = await worldWithHistory();
    assert.deepEqual((await back(backend, {})).toRevision, 4);
    assert.equal(state(world), 'a=v2 c=v1');
    const a = { kind: 'dr', namespace: 'default', name: 'a' };
    assert.deepEqual((await back(backend, { object: a })).toRevision, 1);
    assert.equal(state(world), 'a=v1 c=v1');
  });

  it('restores a deleted object by its name, and leaves all others alone', async () => {
    const { world, backend } = await worldWithHistory();
    const object = { kind: 'destinationrules', namespace: 'default', name: 'b' };
    assert.equal((await back(backend, { object, dryRun: true })).revision, 5);
    assert.equal(state(world), 'a=v2 c=v2', 'a dry run changes nothing');
    await back(backend, { object });
    assert.equal(state(world), 'a=v2 b=v1 c=v2');
    const ofB = await backend.history(10, object);
    assert.deepEqual(
      ofB?.entries.map(({ changes }) => changes.find(({ name }) => name === 'b')?.change),
      ['created', 'deleted', 'created'],
    );
  });

  it('spends no revision where all is as it was', async () => {
    const { world, backend } = await worldWithHistory();
    assert.deepEqual(await back(backend, { toRevision: 5 }), { toRevision: 5, revision: 5, results: [] });
    await world.apply(rule('d', 'v1'));
    await world.delete(rule('d', 'v1'));
    assert.deepEqual(await back(backend, { toRevision: 5 }), { toRevision: 5, revision: 7, results: [] });
  });

  it('warns of what is doubtful about what it restored', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    const routes = rule('a', 'v1')
      .replace('DestinationRule', 'VirtualService')
      .replace(
        /spec:[^]*/,
        'spec: {hosts: [reviews], http: [{route: [{destination: {host: nowhere, subset: v9}}]}]}',
      );
    assert.ok((await world.apply(routes)).ok);
    await world.delete(routes);
    const { results } = await back(backend, {});
    assert.equal(results[0]?.warnings[0]?.code, 'IST0101');
    assert.match(results[0].warnings[0].file ?? '', /^VirtualService default\/a of revision 1$/);
  });

  it('says which revisions there are no ways back to', async () => {
    const { backend } = await worldWithHistory();
    const refused = async (request: RollbackRequest, code: string): Promise<void> => {
      await assert.rejects(back(backend, request), { code });
    };
    await refused({ toRevision: 6 }, 'HEDDLE_NO_SUCH_REVISION');
    await refused(
      { object: { kind: 'vs', namespace: 'default', name: 'never' } },
      'HEDDLE_NOTHING_TO_ROLL_BACK',
    );
    const nothing = await backend.rollback(
      { object: { kind: 'pods', namespace: 'default', name: 'a' } },
      { subject: 'alice', namespace: null },
    );
    assert.equal(nothing, null);
    const empty = backendOf(await makeMeshWorld());
    await assert.rejects(back(empty, {}), { code: 'HEDDLE_NOTHING_TO_ROLL_BACK' });
  });

  it('refuses what was valid then and is not now, with the place', async () => {
    const world = await makeMeshWorld();
    const key = { group: 'networking.istio.io', kind: 'VirtualService', namespace: 'default', name: 'old' };
    const source =
      '{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"old"},"spec":{"gone":1}}';
    const apiVersion = 'networking.istio.io/v1';
    await world.configStore.commit([{ type: 'put', key, apiVersion, source, specDigest: 'x' }], 'older');
    await world.configStore.commit([{ type: 'delete', key }], 'older');
    const outcome = await backendOf(world).rollback({}, { subject: 'alice', namespace: null });
    assert.ok(outcome !== null && !outcome.ok);
    assert.equal(outcome.error[0]?.code, 'HEDDLE_UNKNOWN_FIELD');
    assert.equal(outcome.error[0].file, 'VirtualService default/old of revision 1');
  });
});

describe('the history', () => {
  it('tells one change in full, with the objects before and after', async () => {
    const { backend } = await worldWithHistory();
    const detail = await backend.historyOf(2);
    const [change] = detail?.changes ?? [];
    assert.equal(change?.change, 'configured');
    const versionOf = (value: unknown): string | undefined =>
      /"version":"(\w+)"/.exec(JSON.stringify(value))?.[1];
    assert.deepEqual([versionOf(change.before), versionOf(change.after)], ['v1', 'v2']);
    assert.equal((await backend.historyOf(4))?.changes[0]?.after, null);
    assert.equal((await backend.historyOf(1))?.changes[0]?.before, null);
    assert.equal(await backend.historyOf(0), undefined);
    assert.equal(await backend.historyOf(6), undefined);
  });

  it('shows of a Secret that it changed, and not what it holds', async () => {
    const world = await makeMeshWorld();
    const key = { group: '', kind: 'Secret', namespace: 'default', name: 'cert' };
    const put = async (source: string): Promise<void> => {
      const change = { type: 'put', key, apiVersion: 'v1', source, specDigest: source } as const;
      await world.configStore.commit([change], 'test');
    };
    await put(
      '{"kind":"Secret","data":{"tls.key":"cHJpdmF0ZQ=="},"spec":{"data":{"tls.key":"cHJpdmF0ZQ=="}}}',
    );
    await put('not JSON: cHJpdmF0ZQ==');
    const backend = backendOf(world);
    const shown = JSON.stringify([await backend.historyOf(1), await backend.historyOf(2)]);
    assert.doesNotMatch(shown, /cHJpdmF0ZQ/);
    assert.match(shown, /"tls\.key":"\(hidden\)"/);
  });
});
