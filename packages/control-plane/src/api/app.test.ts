import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { err, HeddleError, ok, silentLogger } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { MemoryCredentialStore } from '../store/credential-store.ts';
import { createApi } from './app.ts';
import { Authenticator } from './authenticator.ts';
import type { ApiBackend } from './backend.ts';
import type { ApplyRequest } from './types.ts';

const host = '127.0.0.1:15080';
const origin = `http://${host}`;
const directory = mkdtempSync(join(tmpdir(), 'heddle-dashboard-'));

const emptyStatus = {
  version: '0.1.0',
  startedAt: 1,
  trustDomain: 'cluster.local',
  revision: 7,
  apiAddress: host,
  xdsAddress: '127.0.0.1:15012',
  joinAddress: '127.0.0.1:15011',
  proxies: 0,
  instances: 0,
};

interface Applied {
  readonly request: ApplyRequest;
  readonly author: string;
}

function makeBackend(applied: Applied[]): ApiBackend {
  return {
    status: () => emptyStatus,
    services: () => ({ services: [] }),
    endpoints: () => ({ endpoints: [] }),
    proxies: () => ({ proxies: [] }),
    certificates: async () => ({ certificates: [] }),
    traffic: () => ({ intervalMs: 1000, endMs: 0, services: [] }),
    latestTraffic: () => ({ timeMs: 1, services: [] }),
    apply: async (request, author) => {
      if (request.files[0]?.text === 'bad')
        return err([{ code: 'HEDDLE_UNKNOWN_FIELD', severity: 'error', message: 'no', line: 3 }]);
      if (request.files[0]?.text === 'conflict') throw new HeddleError('HEDDLE_STORE_CONFLICT', 'Changed.');
      if (request.files[0]?.text === 'bug') throw new TypeError('secret detail');
      applied.push({ request, author: author.subject });
      return ok({ results: [] });
    },
    delete: async () => ok({ results: [] }),
    diff: async () => ok({ objects: [], proxies: { changed: [], total: 0 } }),
    history: async (limit, object) =>
      object?.kind === 'nothing'
        ? undefined
        : { entries: [{ revision: limit, at: 1, author: object?.name ?? '', changes: [] }] },
    historyOf: async (revision) =>
      revision === 7 ? { revision, at: 1, author: 'alice', changes: [] } : undefined,
    rollback: async ({ toRevision = 6, object }) => {
      if (object?.kind === 'nothing') return null;
      if (toRevision === 1) return err([{ code: 'HEDDLE_UNKNOWN_FIELD', severity: 'error', message: 'no' }]);
      if (toRevision === 9) throw new HeddleError('HEDDLE_NO_SUCH_REVISION', 'Not yet.');
      return ok({ toRevision, revision: 8, results: [] });
    },
    analysis: () => ({ objects: 0, findings: [] }),
    resources: (plural) => (plural === 'virtualservices' ? { items: [] } : undefined),
    resource: () => undefined,
    createJoinToken: async (request) => ({ token: `hdl1 for ${request.uses}`, joinCommand: 'heddle run …' }),
    joinTokens: async () => [],
    revokeJoinToken: async (id) => id === 'join1',
    metrics: () => 'pilot_services 0\n',
  };
}

function makeWorld() {
  const applied: Applied[] = [];
  const clock = new VirtualClock();
  const credentials = new MemoryCredentialStore();
  const authenticator = new Authenticator(credentials, clock);
  const app = createApi({
    backend: makeBackend(applied),
    authenticator,
    clock,
    logger: silentLogger,
    dashboardDirectory: directory,
  });
  const admin = authenticator.createToken({ kind: 'api', role: 'admin', subject: 'admin' });
  const dashboard = authenticator.createToken({ kind: 'dashboard', role: 'admin' });
  const request = (path: string, headers: Record<string, string> = {}, body?: unknown) =>
    app.request(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { host, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const login = async (): Promise<string> => {
    const response = await request('/api/v1/login', { origin }, { token: dashboard });
    assert.equal(response.status, 204);
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  };
  return { applied, clock, credentials, app, admin, dashboard, request, login };
}

interface Answer {
  readonly error?: { readonly code: string };
  readonly entries?: readonly { readonly revision: number }[];
  readonly author?: string;
}

async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { error: { code: string } };
  return body.error.code;
}

const manifest = { files: [{ name: 'a.yaml', text: 'x' }], namespace: 'default' };

describe('the API', () => {
  before(() => {
    mkdirSync(join(directory, 'assets'));
    writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Heddle</title>');
    writeFileSync(join(directory, 'assets', 'app-1234.js'), 'let page;');
    writeFileSync(join(tmpdir(), 'heddle-outside.txt'), 'secret');
  });
  after(() => {
    rmSync(directory, { recursive: true });
    rmSync(join(tmpdir(), 'heddle-outside.txt'));
  });

  it('answers health checks without a token and nothing else', async () => {
    const { request } = makeWorld();
    assert.equal((await request('/healthz')).status, 200);
    const paths = [
      '/metrics',
      '/api/v1/status',
      '/api/v1/services',
      '/api/v1/traffic/stream',
      '/api/v1/nothing',
    ];
    for (const path of paths) {
      const response = await request(path);
      assert.equal(response.status, 401, path);
      assert.equal(await errorCode(response), 'HEDDLE_API_UNAUTHENTICATED');
    }
  });

  it("takes the admin's token and refuses a wrong one, a dashboard's one and part of one", async () => {
    const { request, admin, dashboard } = makeWorld();
    const response = await request('/api/v1/status', { authorization: `Bearer ${admin}` });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), emptyStatus);
    for (const token of ['wrong', dashboard, admin.slice(0, -1), `${admin}x`]) {
      const refused = await request('/api/v1/status', { authorization: `Bearer ${token}` });
      assert.equal(refused.status, 401);
      assert.equal(await errorCode(refused), 'HEDDLE_API_WRONG_TOKEN');
    }
  });

  it('keeps no token, only its hash', () => {
    const { credentials, admin, dashboard } = makeWorld();
    const kept = JSON.stringify(credentials.list().map(({ hash }) => Buffer.from(hash).toString('latin1')));
    for (const token of [admin, dashboard]) assert.ok(!kept.includes(token.slice(4, 20)));
  });

  it('logs a browser in with a cookie that scripts cannot read, and out again', async () => {
    const { request, dashboard } = makeWorld();
    const response = await request('/api/v1/login', { origin }, { token: dashboard });
    const cookie = response.headers.get('set-cookie') ?? '';
    assert.match(cookie, /^heddle_session=[\w-]{43};/);
    assert.match(cookie, /HttpOnly/);
    assert.match(cookie, /SameSite=Strict/);
    const session = cookie.split(';')[0] ?? '';
    assert.equal((await request('/api/v1/status', { cookie: session })).status, 200);
    assert.equal((await request('/api/v1/logout', { cookie: session, origin }, {})).status, 204);
    assert.equal((await request('/api/v1/status', { cookie: session })).status, 401);
  });

  it('refuses a login with a wrong token', async () => {
    const { request } = makeWorld();
    const response = await request('/api/v1/login', { origin }, { token: 'hdd_wrong' });
    assert.equal(response.status, 401);
    assert.equal(await errorCode(response), 'HEDDLE_API_WRONG_TOKEN');
    assert.equal(response.headers.get('set-cookie'), null);
  });

  it('ends a session that nobody uses', async () => {
    const { request, login, clock } = makeWorld();
    const cookie = await login();
    clock.advance(11 * 3_600_000);
    assert.equal((await request('/api/v1/status', { cookie })).status, 200);
    clock.advance(11 * 3_600_000);
    assert.equal((await request('/api/v1/status', { cookie })).status, 200);
    clock.advance(13 * 3_600_000);
    assert.equal((await request('/api/v1/status', { cookie })).status, 401);
  });

  it('refuses a foreign Host with any token, as DNS rebinding sends it', async () => {
    const { request, admin } = makeWorld();
    const foreign = [
      'evil.example:15080',
      '127.0.0.1.evil.example',
      'localhost.evil',
      '10.0.0.1',
      '127.0.0.1:x',
      '',
    ];
    for (const name of foreign) {
      for (const path of ['/api/v1/status', '/', '/healthz']) {
        const response = await request(path, { host: name, authorization: `Bearer ${admin}` });
        assert.equal(response.status, 403, `${name} ${path}`);
        assert.equal(await errorCode(response), 'HEDDLE_API_FOREIGN_HOST');
      }
    }
    for (const name of ['localhost:1', '127.0.0.1', '[::1]:15080', 'LOCALHOST:15080']) {
      assert.equal((await request('/healthz', { host: name })).status, 200, name);
    }
  });

  it('refuses requests from pages of another origin', async () => {
    const { request, login, admin, applied } = makeWorld();
    const cookie = await login();
    for (const foreign of ['http://evil.example', 'http://127.0.0.1:8080', `https://${host}`, 'null']) {
      for (const credentials of [{ cookie }, { authorization: `Bearer ${admin}` }]) {
        const response = await request('/api/v1/apply', { ...credentials, origin: foreign }, manifest);
        assert.equal(response.status, 403, foreign);
        assert.equal(await errorCode(response), 'HEDDLE_API_FOREIGN_ORIGIN');
      }
    }
    const unsaid = await request('/api/v1/apply', { cookie }, manifest);
    assert.equal(unsaid.status, 403);
    assert.equal(
      (await request('/api/v1/login', { origin: 'http://evil.example' }, { token: 'x' })).status,
      403,
    );
    assert.deepEqual(applied, []);
    assert.equal((await request('/api/v1/apply', { cookie, origin }, manifest)).status, 200);
  });

  it('records who made a change', async () => {
    const { request, login, admin, applied } = makeWorld();
    await request('/api/v1/apply', { authorization: `Bearer ${admin}` }, manifest);
    await request('/api/v1/apply', { cookie: await login(), origin }, { ...manifest, strict: true });
    assert.deepEqual(
      applied.map(({ request: { strict, dryRun }, author }) => [strict, dryRun, author]),
      [
        [false, false, 'admin'],
        [true, false, 'dashboard'],
      ],
    );
  });

  it('makes tokens of people, under whose names their changes stand', async () => {
    const { request, applied, admin } = makeWorld();
    const authorization = `Bearer ${admin}`;
    const create = async (body: object): Promise<string> => {
      const response = await request('/api/v1/tokens', { authorization }, body);
      assert.equal(response.status, 200, JSON.stringify(body));
      return ((await response.json()) as { token: string }).token;
    };
    const alice = await create({ kind: 'api', role: 'operator', subject: 'alice@example.com' });
    await request('/api/v1/apply', { authorization: `Bearer ${alice}` }, manifest);
    const bob = await create({ kind: 'dashboard', role: 'operator', subject: 'Bob' });
    const session = await request('/api/v1/login', { origin }, { token: bob });
    const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
    await request('/api/v1/apply', { cookie, origin }, manifest);
    assert.deepEqual(
      applied.map(({ author }) => author),
      ['alice@example.com', 'Bob'],
    );
    for (const body of [
      { kind: 'api' },
      { kind: 'api', subject: 'admin' },
      { kind: 'api', role: 'admin', subject: 'x', namespace: 'shop' },
      { kind: 'api', role: 'root', subject: 'x' },
      { kind: 'api', subject: 'x', uses: 3 },
      { kind: 'join', role: 'admin' },
      { kind: 'dashboard', subject: 'files' },
      { kind: 'dashboard', subject: ' x' },
      { kind: 'dashboard', subject: 'x\ny' },
      { kind: 'join', subject: 'alice' },
    ]) {
      const response = await request('/api/v1/tokens', { authorization }, body);
      assert.equal(response.status, 400, JSON.stringify(body));
    }
  });

  it('tells the history and goes back in it', async () => {
    const { request, admin } = makeWorld();
    const authorization = `Bearer ${admin}`;
    const ask = async (path: string, body?: unknown): Promise<[number, Answer]> => {
      const response = await request(`/api/v1/${path}`, { authorization }, body);
      return [response.status, (await response.json()) as Answer];
    };
    const entry = { revision: 3, at: 1, author: 'a', changes: [] };
    assert.deepEqual(await ask('history?limit=3&kind=vs&name=a'), [200, { entries: [entry] }]);
    assert.equal((await ask('history'))[1].entries?.[0]?.revision, 100);
    assert.equal((await ask('history/7'))[1].author, 'alice');
    for (const [path, status, code] of [
      ['history?limit=0', 400, 'HEDDLE_API_BAD_REQUEST'],
      ['history?kind=vs', 400, 'HEDDLE_API_BAD_REQUEST'],
      ['history?kind=nothing&name=a', 404, 'HEDDLE_UNKNOWN_KIND'],
      ['history/8', 404, 'HEDDLE_NO_SUCH_REVISION'],
      ['history/x', 404, 'HEDDLE_NO_SUCH_REVISION'],
    ] as const) {
      const [found, { error }] = await ask(path);
      assert.deepEqual([found, error?.code], [status, code], path);
    }
    assert.deepEqual((await ask('rollback', {}))[1], { toRevision: 6, revision: 8, results: [] });
    for (const [body, status, code] of [
      [{ toRevision: 1 }, 422, 'HEDDLE_ROLLBACK_REFUSED'],
      [{ toRevision: 9 }, 404, 'HEDDLE_NO_SUCH_REVISION'],
      [{ toRevision: -1 }, 400, 'HEDDLE_API_BAD_REQUEST'],
      [{ object: { kind: 'nothing', namespace: 'a', name: 'b' } }, 404, 'HEDDLE_UNKNOWN_KIND'],
    ] as const) {
      const [found, { error }] = await ask('rollback', body);
      assert.deepEqual([found, error?.code], [status, code], JSON.stringify(body));
    }
    assert.equal((await request('/api/v1/rollback', {}, {})).status, 401);
  });

  it('answers problems with 422, a conflict with 409 and a bug of ours without its text', async () => {
    const { request, admin } = makeWorld();
    const authorization = `Bearer ${admin}`;
    const apply = (text: string) =>
      request('/api/v1/apply', { authorization }, { ...manifest, files: [{ name: 'a', text }] });
    const refused = await apply('bad');
    assert.equal(refused.status, 422);
    const body = (await refused.json()) as { error: { problems: { line: number }[] } };
    assert.equal(body.error.problems[0]?.line, 3);
    const conflict = await apply('conflict');
    assert.equal(conflict.status, 409);
    assert.equal(await errorCode(conflict), 'HEDDLE_STORE_CONFLICT');
    const bug = await apply('bug');
    assert.equal(bug.status, 500);
    assert.ok(!(await bug.text()).includes('secret detail'));
  });

  it('refuses a request of the wrong form with the place in it', async () => {
    const { app, request, admin } = makeWorld();
    const authorization = `Bearer ${admin}`;
    const unknown = await request(
      '/api/v1/apply',
      { authorization },
      { ...manifest, files: [{ name: 'a' }] },
    );
    assert.equal(unknown.status, 400);
    const body = (await unknown.json()) as { error: { problems: { path: string }[] } };
    assert.equal(body.error.problems[0]?.path, 'files.0.text');
    const text = await app.request('/api/v1/apply', {
      method: 'POST',
      headers: { host, authorization },
      body: '{',
    });
    assert.equal(await errorCode(text), 'HEDDLE_API_BAD_REQUEST');
  });

  it('refuses a body that is too large', async () => {
    const { request, dashboard } = makeWorld();
    const response = await request('/api/v1/login', { origin }, { token: dashboard + 'x'.repeat(70_000) });
    assert.equal(response.status, 413);
    assert.equal(await errorCode(response), 'HEDDLE_API_TOO_LARGE');
  });

  it('tells an unknown kind from a missing object', async () => {
    const { request, admin } = makeWorld();
    const authorization = `Bearer ${admin}`;
    const kind = await request('/api/v1/resources/gateways', { authorization });
    assert.equal(await errorCode(kind), 'HEDDLE_UNKNOWN_KIND');
    const missing = await request('/api/v1/resources/virtualservices/default/x', { authorization });
    assert.equal(missing.status, 404);
    assert.equal(await errorCode(missing), 'HEDDLE_NOT_FOUND');
  });

  it('makes tokens, and a dashboard token made so can log in', async () => {
    const { request, admin } = makeWorld();
    const authorization = `Bearer ${admin}`;
    const join = await request('/api/v1/tokens', { authorization }, { kind: 'join', uses: 3 });
    assert.deepEqual(await join.json(), { token: 'hdl1 for 3', joinCommand: 'heddle run …' });
    const made = await request('/api/v1/tokens', { authorization }, { kind: 'dashboard' });
    const { token } = (await made.json()) as { token: string };
    assert.equal((await request('/api/v1/login', { origin }, { token })).status, 204);
  });

  it('streams traffic each second until the reader leaves', async () => {
    const { request, admin, clock } = makeWorld();
    const response = await request('/api/v1/traffic/stream', { authorization: `Bearer ${admin}` });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const reader = (response.body ?? assert.fail()).getReader();
    const expected = 'event: traffic\ndata: {"timeMs":1,"services":[]}\n\n';
    assert.equal(new TextDecoder().decode((await reader.read()).value), expected);
    const second = reader.read();
    clock.advance(1000);
    assert.equal(new TextDecoder().decode((await second).value), expected);
    await reader.cancel();
    assert.equal(clock.pendingTimers, 0);
  });

  it('serves the dashboard to anybody, and nothing outside of its directory', async () => {
    const { request } = makeWorld();
    const page = await request('/services');
    assert.match(await page.text(), /<title>Heddle/);
    assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self'/);
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    const script = await request('/assets/app-1234.js');
    assert.match(script.headers.get('cache-control') ?? '', /immutable/);
    for (const path of [
      '/..%2fheddle-outside.txt',
      '/%2e%2e/heddle-outside.txt',
      '/assets/..%2f..%2fheddle-outside.txt',
    ]) {
      const response = await request(path);
      assert.equal(response.status, 404, path);
    }
  });
});
