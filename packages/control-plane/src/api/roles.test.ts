import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeApiWorld as makeWorld, ruleRequest as rule } from './testing/api-world.ts';
import type { HistoryResponse, TokensResponse } from './types.ts';

const changes = ['apply', 'delete', 'rollback'];
const reads = ['status', 'services', 'endpoints', 'proxies', 'certificates', 'history', 'whoami', 'traffic'];

describe('roles', () => {
  it('let a viewer look at everything and change nothing', async () => {
    const { ask, token, mesh } = await makeWorld();
    const viewer = token('viewer');
    for (const path of [...reads, 'resources/virtualservices'])
      assert.equal((await ask(viewer, path)).status, 200, path);
    assert.equal((await ask(viewer, 'diff', rule('a', 'default'))).status, 200);
    for (const path of [...changes, 'tokens', 'unknown']) {
      const refused = await ask(viewer, path, rule('a', 'default'));
      assert.equal(refused.status, 403, path);
      assert.match(await refused.text(), /"HEDDLE_API_FORBIDDEN","message":"a viewer has the role viewer/);
    }
    assert.equal((await ask(viewer, 'tokens')).status, 403);
    assert.equal((await ask(viewer, 'tokens/x', undefined, 'DELETE')).status, 403);
    assert.equal(mesh.controlPlane.mirror.revision, 0);
  });

  it('let an operator change the configuration under its name, and make no tokens', async () => {
    const { ask, token } = await makeWorld();
    const operator = token('operator', { subject: 'alice' });
    assert.equal((await ask(operator, 'apply', rule('a', 'default'))).status, 200);
    const { entries } = (await (await ask(operator, 'history')).json()) as HistoryResponse;
    assert.equal(entries[0]?.author, 'alice');
    for (const body of [undefined, { kind: 'api', role: 'admin', subject: 'eve' }])
      assert.equal((await ask(operator, 'tokens', body)).status, 403);
  });

  it('keep whoever is bound to a namespace inside of it', async () => {
    const { ask, token, mesh } = await makeWorld();
    await ask(token('admin'), 'apply', rule('theirs', 'other'));
    mesh.connect({ instance: 'far-1', service: 'far', namespace: 'other' }).publish();
    await mesh.settle();
    const bound = token('operator', { namespace: 'shop' });
    assert.equal((await ask(bound, 'apply', rule('mine', 'shop'))).status, 200);
    const resources = async (path: string): Promise<unknown[]> =>
      ((await (await ask(bound, path)).json()) as { items: unknown[] }).items;
    assert.equal((await resources('resources/destinationrules')).length, 1);
    const { entries } = (await (await ask(bound, 'history')).json()) as HistoryResponse;
    assert.deepEqual(
      entries.flatMap(({ changes: done }) => done.map(({ name }) => name)),
      ['mine'],
    );
    for (const path of ['services', 'endpoints', 'proxies'])
      assert.doesNotMatch(await (await ask(bound, path)).text(), /far/, path);
    const clusterWide = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', namespace: 'shop' },
    };
    const wide = { files: [{ name: 'n', text: JSON.stringify(clusterWide) }], namespace: 'shop' };
    for (const [path, body] of [
      ['apply', rule('a', 'other')],
      ['apply', wide],
      ['delete', rule('theirs', 'other')],
      ['diff', rule('a', 'other')],
      ['rollback', {}],
      ['rollback', { object: { kind: 'dr', namespace: 'other', name: 'theirs' } }],
      ['resources/destinationrules?namespace=other', undefined],
      ['resources/destinationrules/other/theirs', undefined],
      ['endpoints?namespace=other', undefined],
      ['history/1', undefined],
    ] as const) {
      const { status } = await ask(bound, path, body);
      assert.equal(status, path === 'history/1' ? 404 : 403, `${path} ${JSON.stringify(body)}`);
    }
  });
});

describe('tokens', () => {
  it('are listed with whose they are and their last use, without a secret', async () => {
    const { ask, token, clock, credentials } = await makeWorld();
    const admin = token('admin');
    const alice = token('operator', { subject: 'alice', namespace: 'shop', ttlMs: 3_600_000 });
    clock.advance(61_000);
    await ask(alice, 'status');
    const text = await (await ask(admin, 'tokens')).text();
    const { tokens } = JSON.parse(text) as TokensResponse;
    const { id: _id, createdAt, ...found } = tokens.find(({ subject }) => subject === 'alice')!;
    assert.deepEqual(found, {
      kind: 'api',
      subject: 'alice',
      role: 'operator',
      namespace: 'shop',
      expiresAt: createdAt + 3_600_000,
      lastUsedAt: createdAt + 61_000,
    });
    assert.deepEqual(tokens.at(-1)?.kind, 'join');
    for (const secret of [admin, alice, 'hash of it']) assert.ok(!text.includes(secret));
    for (const { hash } of credentials.list()) {
      assert.ok(!text.includes(Buffer.from(hash).toString('hex')));
      assert.ok(!text.includes(Buffer.from(hash).toString('base64url')));
    }
  });

  it('are of no use once they have expired', async () => {
    const { ask, token, clock, authenticator } = await makeWorld();
    const short = token('viewer', { ttlMs: 1000 });
    const session = (await authenticator.login(short)) ?? '';
    clock.advance(999);
    assert.equal((await ask(short, 'status')).status, 200);
    assert.ok(authenticator.principalOfSession(session));
    clock.advance(1);
    assert.equal((await ask(short, 'status')).status, 401);
    assert.equal(authenticator.principalOfSession(session), undefined);
  });

  it('end when they are revoked: requests, sessions and streams', async () => {
    const { ask, token, authenticator, clock } = await makeWorld();
    const admin = token('admin');
    const viewer = token('viewer', { subject: 'bob' });
    const session = (await authenticator.login(viewer)) ?? '';
    const stream = (await ask(viewer, 'traffic/stream')).body?.getReader() ?? assert.fail();
    assert.ok((await stream.read()).value);
    const { tokens } = (await (await ask(admin, 'tokens')).json()) as TokensResponse;
    const { id } = tokens.find(({ subject }) => subject === 'bob')!;
    const before = clock.pendingTimers;
    assert.equal((await ask(admin, `tokens/${id}`, undefined, 'DELETE')).status, 204);
    assert.equal((await stream.read()).done, true);
    assert.equal(clock.pendingTimers, before - 1);
    assert.equal(authenticator.principalOfSession(session), undefined);
    assert.equal((await ask(viewer, 'status')).status, 401);
    assert.equal((await ask(admin, 'tokens/join1', undefined, 'DELETE')).status, 204);
    const again = await ask(admin, `tokens/${id}`, undefined, 'DELETE');
    assert.deepEqual([again.status, /HEDDLE_NO_SUCH_TOKEN/.test(await again.text())], [404, true]);
  });

  it('have no more to say than their role, and none where nothing is said', async () => {
    const { ask, token } = await makeWorld();
    const made = await ask(token('admin'), 'tokens', { kind: 'api', subject: 'carol' });
    const { token: carol } = (await made.json()) as { token: string };
    assert.equal((await ask(carol, 'apply', rule('a', 'default'))).status, 403);
  });
});
