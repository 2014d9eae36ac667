import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { type Chain, hello, startChain } from '../../http/chain-under-test.ts';
import { dottedName } from '../../admin/stat-names.ts';
import { RbacFilter } from './rbac-filter.ts';
import { compiled, rbacRequest, testConnection } from './rbac-harness.ts';
import { httpRbacMetrics } from './rbac-metrics.ts';

const any = { any: true };
const everything = { permissions: [any], principals: [any] };
const onPath = (prefix: string): object => ({
  permissions: [{ url_path: { path: { prefix } } }],
  principals: [any],
});
const denyAdmin = { rules: { action: 'DENY', policies: { 'no admin': onPath('/admin') } } };

interface Guarded extends Chain {
  /** The filter's counters that are not 0, by Envoy's names. */
  readonly counted: () => Record<string, number>;
}

/** A chain whose proxy has an RBAC filter with this configuration. */
async function guarded(
  t: TestContext,
  json: object,
  options: Parameters<typeof startChain>[2] = {},
): Promise<Guarded> {
  const registry = new MetricRegistry();
  const rbac = compiled(json);
  const filter = new RbacFilter(
    { kind: 'rbac', name: 'rbac', isDisabled: false, rbac },
    httpRbacMetrics(registry.scope(), 'in', rbac),
  );
  const chain = await startChain(t, (received) => (received.includes('\r\n\r\n') ? hello : null), {
    filters: [filter],
    ...options,
  });
  const counted = (): Record<string, number> =>
    Object.fromEntries(
      registry
        .collect()
        .flatMap(({ name, type, samples }) =>
          type === 'histogram'
            ? []
            : samples.flatMap(({ labels, value }) =>
                value === 0 ? [] : [[dottedName(name, labels), value]],
              ),
        ),
    );
  return { ...chain, counted };
}

const request = (line: string, fields = ''): string => `${line} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const hasReply = (text: string): boolean => text.includes('\r\n\r\n');

test('what is denied gets 403 and the reason in the log, and never comes to the upstream', async (t) => {
  const { client, proxy, seen, counted } = await guarded(t, denyAdmin);
  client.write(request('GET /admin/x'));
  const response = await client.until((text) => text.endsWith('denied'));
  assert.match(response, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.match(response, /\r\n\r\nRBAC: access denied$/);
  assert.deepEqual(proxy.finished, [
    { code: 403, flags: '-', details: 'rbac_access_denied_matched_policy[no_admin]' },
  ]);
  assert.equal(proxy.downstream.requestsRouted.value, 0);
  // The connection serves on.
  client.write(request('GET /other'));
  await client.until((text) => text.endsWith('hello'));
  assert.doesNotMatch(seen(), /admin/);
  assert.deepEqual(counted(), { 'http.in.rbac.denied': 1, 'http.in.rbac.allowed': 1 });
});

test('what no policy allows is denied for none of them', async (t) => {
  const { client, proxy } = await guarded(t, { rules: { policies: { a: onPath('/public') } } });
  client.write(request('GET /'));
  await client.until(hasReply);
  assert.equal(proxy.finished[0]?.details, 'rbac_access_denied_matched_policy[none]');
});

test('policies decide before a route’s own answers, and where there is no route', async (t) => {
  const direct = Route.fromPartial({
    match: { pathSpecifier: { $case: 'path', value: '/direct' } },
    action: { $case: 'directResponse', value: { status: 200 } },
    responseHeadersToAdd: [{ header: { key: 'x-route', value: 'direct' } }],
  });
  const { client, proxy } = await guarded(
    t,
    { rules: { action: 'DENY', policies: { all: everything } } },
    { routes: [direct] },
  );
  client.write(request('GET /direct') + request('GET /nowhere', 'Connection: close\r\n'));
  const response = await client.untilEnd();
  assert.equal(response.match(/RBAC: access denied/g)?.length, 2);
  assert.equal(response.match(/x-route: direct/g)?.length, 1);
  assert.equal(proxy.downstream.routesNotFound.value, 0);
  assert.equal(proxy.downstream.directResponses.value, 0);
});

test('an upgrade that no route takes is refused as such, one that is denied as denied', async (t) => {
  const upgrade = request('GET /', 'Connection: upgrade\r\nUpgrade: websocket\r\n');
  const rules = { rules: { action: 'DENY', policies: { all: everything } } };
  const without = await guarded(t, rules);
  without.client.write(upgrade);
  await without.client.untilEnd();
  assert.equal(without.proxy.finished[0]?.details, 'upgrade_failed');
  const granted = await guarded(t, rules, { upgrades: { websocket: 'forward' } });
  granted.client.write(upgrade);
  assert.match(await granted.client.untilEnd(), /RBAC: access denied$/);
  assert.equal(granted.seen(), '');
});

test('the body of what is denied is not taken for a request', async (t) => {
  const { client, seen } = await guarded(t, denyAdmin);
  const smuggled = request('GET /smuggled');
  client.write(
    request('POST /admin', `Content-Length: ${smuggled.length}\r\n`) + smuggled + request('GET /next'),
  );
  assert.match(await client.untilEnd(), /^HTTP\/1\.1 403 .*RBAC: access denied$/s);
  assert.doesNotMatch(seen(), /smuggled/);
});

test('a dry run is counted and enforces nothing', async (t) => {
  const { client, counted } = await guarded(t, {
    shadow_rules: denyAdmin.rules,
    shadow_rules_stat_prefix: 'dry.',
    track_per_rule_stats: true,
  });
  client.write(request('GET /admin'));
  await client.until((text) => text.endsWith('hello'));
  client.write(request('GET /'));
  await client.until((text) => text.split('hello').length === 3);
  assert.deepEqual(counted(), {
    'http.in.rbac.dry.shadow_denied': 1,
    'http.in.rbac.dry.shadow_allowed': 1,
    'http.in.rbac.dry.policy.no admin.shadow_denied': 1,
  });
});

test('what is enforced is counted by policy where asked for', async (t) => {
  const { client, counted } = await guarded(t, {
    rules: { policies: { open: onPath('/open'), b: onPath('/b') } },
    rules_stat_prefix: 'pre',
    track_per_rule_stats: true,
  });
  client.write(request('GET /open'));
  await client.until((text) => text.endsWith('hello'));
  client.write(request('GET /c'));
  await client.until((text) => text.endsWith('denied'));
  assert.deepEqual(counted(), {
    'http.in.rbac.pre.allowed': 1,
    'http.in.rbac.pre.denied': 1,
    'http.in.rbac.pre.policy.open.allowed': 1,
  });
});

describe('a route', () => {
  const perRoute = (json: object) => ({ kind: 'rbac', rbac: compiled(json) }) as const;
  const disabled = { kind: 'disabled' } as const;
  /** The status that a filter which denies everything leads to on a route that says this to it. */
  function answer(own: ReturnType<typeof perRoute> | typeof disabled | null, isDisabled = false): number {
    const rbac = compiled({ rules: { action: 'DENY', policies: { all: everything } } });
    const metrics = httpRbacMetrics(new MetricRegistry().scope(), 'in', rbac);
    const filter = new RbacFilter({ kind: 'rbac', name: 'rbac', isDisabled, rbac }, metrics);
    const filters = own === null ? null : new Map([['rbac', own]]);
    type Arguments = Parameters<RbacFilter['onRequest']>;
    const route = { filters } as unknown as Arguments[2];
    const request = rbacRequest() as unknown as Arguments[0];
    return filter.onRequest(request, testConnection(), route)?.status ?? 200;
  }

  test('has the filter’s policies unless it has its own', () => {
    assert.equal(answer(null), 403);
    assert.equal(answer(perRoute({ rules: { policies: { all: everything } } })), 200);
    assert.equal(answer(perRoute({})), 200);
    assert.equal(answer(disabled), 200);
  });

  test('switches a filter on that is off by itself', () => {
    assert.equal(answer(null, true), 200);
    assert.equal(answer(perRoute({ rules: { action: 'DENY', policies: { all: everything } } }), true), 403);
  });
});
