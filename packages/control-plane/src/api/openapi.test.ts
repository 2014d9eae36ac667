import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { firstFlaw } from '@heddle/testkit';
import { expectedApiSchemas } from '../../tools/generate-api-schemas.ts';
import { openApiDocument } from './openapi.ts';
import { operations, type Operation } from './operations.ts';
import { makeApiWorld, ruleRequest, type ApiWorld } from './testing/api-world.ts';

type Schema = Record<string, unknown>;

/** The schemas with nothing let pass that they don't name, so that what is answered and not documented is found. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  return 'properties' in copy && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

const root = closed(openApiDocument('1')) as Schema;

/** Paths and bodies for what can't be asked without any. */
const examples: Readonly<
  Record<string, { readonly path?: string; readonly body?: unknown; readonly status?: number }>
> = {
  'post /api/v1/login': { body: { token: 'x' }, status: 401 },
  'get /api/v1/history/{revision}': { path: '/api/v1/history/1' },
  'get /api/v1/resources/{plural}': { path: '/api/v1/resources/destinationrules' },
  'get /api/v1/resources/{plural}/{namespace}/{name}': {
    path: '/api/v1/resources/destinationrules/default/first',
  },
  'post /api/v1/diff': { body: ruleRequest('first', 'shop') },
  'post /api/v1/apply': { body: ruleRequest('second', 'default') },
  'post /api/v1/delete': { body: ruleRequest('second', 'default') },
  'post /api/v1/rollback': { body: { toRevision: 1 } },
  'post /api/v1/tokens': { body: { kind: 'api', subject: 'alice' } },
  'delete /api/v1/tokens/{id}': { path: '/api/v1/tokens/join1' },
};

async function ask({ app }: ApiWorld, operation: Operation, token: string): Promise<Response> {
  const { path = operation.path, body } = examples[`${operation.method} ${operation.path}`] ?? {};
  const host = '127.0.0.1:15080';
  return await app.request(path, {
    method: operation.method.toUpperCase(),
    headers: {
      host,
      origin: `http://${host}`,
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function populated(): Promise<{ world: ApiWorld; admin: string }> {
  const world = await makeApiWorld();
  const admin = world.token('admin');
  world.mesh.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
  await world.mesh.settle();
  assert.equal((await world.ask(admin, 'apply', ruleRequest('first', 'default'))).status, 200);
  await world.mesh.settle();
  return { world, admin };
}

describe('the OpenAPI document', () => {
  it('has every path that is served, and no other', async () => {
    const { app } = await makeApiWorld();
    const served = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/*')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = operations.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(new Set(documented), new Set(served));
    assert.equal(new Set(documented).size, documented.length);
  });

  it('says what is really answered', async () => {
    const { world, admin } = await populated();
    for (const operation of operations) {
      const name = `${operation.method} ${operation.path}`;
      const response = await ask(world, operation, admin);
      const { status = (operation.response ?? operation.contentType) ? 200 : 204 } = examples[name] ?? {};
      assert.equal(response.status, status, name);
      const type = response.headers.get('content-type') ?? '';
      if (operation.contentType !== undefined) {
        assert.ok(type.startsWith(operation.contentType), `${name}: ${type}`);
        await response.body?.cancel();
        continue;
      }
      if (status === 204) continue;
      const schema = status === 200 ? operation.response : 'ApiErrorBody';
      if (schema === 'object') continue;
      const flaw = firstFlaw({ $ref: `#/components/schemas/${schema}` }, await response.json(), root);
      assert.equal(flaw, null, `${name}: ${flaw}`);
    }
  });

  it('says who may ask', async () => {
    const { world } = await populated();
    const roles = ['viewer', 'operator', 'admin'] as const;
    for (const operation of operations) {
      const name = `${operation.method} ${operation.path}`;
      const anonymous = await ask(world, operation, '');
      const wantsToken = anonymous.status === 401 && /UNAUTHENTICATED/.test(await anonymous.text());
      assert.equal(wantsToken, operation.role !== null, name);
      if (operation.role === null) continue;
      const below = roles[roles.indexOf(operation.role) - 1];
      if (below === undefined) continue;
      const refused = await ask(world, operation, world.token(below));
      assert.equal(refused.status, 403, name);
      const flaw = firstFlaw({ $ref: '#/components/schemas/ApiErrorBody' }, await refused.json(), root);
      assert.equal(flaw, null, flaw ?? '');
    }
  });

  it('is that of the types as they are', async () => {
    const present = await readFile(join(import.meta.dirname, 'generated', 'schemas.json'), 'utf8');
    assert.equal(
      present,
      await expectedApiSchemas(),
      'run packages/control-plane/tools/generate-api-schemas.ts',
    );
  });
});
