import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Result, type Problem, type Random, systemRandom } from '@heddle/base';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type { RetryPolicy as RetryPolicyMessage } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { testRequest } from './request-view-harness.ts';
import type { RetriedResponse, RetryPolicy } from './retry-policy.ts';
import type { RouteTable } from './route-table.ts';

type Policy = Parameters<typeof RetryPolicyMessage.fromPartial>[0];

function compile(
  ofHost: Policy | undefined,
  ofRoute: Policy | undefined,
): Result<RouteTable<string>, Problem[]> {
  const config = RouteConfiguration.fromPartial({
    virtualHosts: [
      {
        name: 'h',
        domains: ['*'],
        retryPolicy: ofHost,
        routes: [
          {
            match: { pathSpecifier: { $case: 'prefix', value: '/' } },
            action: {
              $case: 'route',
              value: { clusterSpecifier: { $case: 'cluster', value: 'c' }, retryPolicy: ofRoute },
            },
          },
        ],
      },
    ],
  });
  return compileRouteTable(config, (name) => name);
}

function policyOf(ofHost: Policy | undefined, ofRoute: Policy | undefined): RetryPolicy | null {
  const table = compile(ofHost, ofRoute);
  assert.ok(table.ok);
  return table.value.match(testRequest(), systemRandom)!.retryPolicy;
}

function problemsOf(policy: Policy): string[] {
  const table = compile(undefined, policy);
  const prefix = 'virtual_hosts[0].routes[0].route.retry_policy.';
  return table.ok ? [] : table.error.map(({ path, message }) => `${path?.replace(prefix, '')}: ${message}`);
}

/** A response's head with these fields. */
function response(status: number, fields: Readonly<Record<string, string>> = {}): RetriedResponse {
  const header = (name: string): string | null => fields[name] ?? null;
  return { status, header, headerValue: (name, index) => (index === 0 ? header(name) : null) };
}

const limited = response(503, { 'x-envoy-ratelimited': 'true' });
const onConnect: Policy = { retryOn: 'connect-failure' };

test('requests are tried again as the route or else its virtual host says, and not otherwise', () => {
  assert.equal(policyOf(undefined, undefined), null);
  assert.equal(policyOf(undefined, onConnect)?.maxRetries, 1);
  assert.equal(policyOf({ ...onConnect, numRetries: 2 }, undefined)?.maxRetries, 2);
  assert.equal(policyOf({ ...onConnect, numRetries: 2 }, { ...onConnect, numRetries: 0 })?.maxRetries, 0);
  assert.equal(policyOf(onConnect, { retryOn: '', numRetries: 5 }), null);
});

// What each condition covers: no connection, a refused request, no response, of the statuses 409, 418, 500, 503, and of gRPC's
// 1, 4, 8, 13, 14.
const conditions: readonly (readonly [string, string])[] = [
  ['connect-failure', 'connect'],
  ['reset-before-request', 'connect'],
  ['refused-stream', 'refused'],
  ['reset', 'connect refused reset'],
  ['5xx', 'connect refused reset 500 503'],
  ['gateway-error', 'connect refused reset 503'],
  ['retriable-4xx', '409'],
  ['retriable-status-codes', '418'],
  ['envoy-ratelimited', 'limited'],
  ['connect-failure,refused-stream, retriable-4xx', 'connect refused 409'],
  ['cancelled', 'grpc-1'],
  ['deadline-exceeded,resource-exhausted', 'grpc-4 grpc-8'],
  ['internal, unavailable, retriable-4xx', '409 grpc-13 grpc-14'],
];
for (const [retryOn, expected] of conditions) {
  test(`retry_on: ${retryOn} covers ${expected}`, () => {
    const policy = policyOf(undefined, { retryOn, retriableStatusCodes: [418] })!;
    const statuses = [409, 418, 500, 503].filter((status) => policy.coversResponse(response(status)));
    const calls = [1, 4, 8, 13, 14].filter((status) =>
      policy.coversResponse(response(200, { 'grpc-status': String(status) })),
    );
    const covered = [
      ...(policy.coversConnectFailure ? ['connect'] : []),
      ...(policy.coversReset(true) ? ['refused'] : []),
      ...(policy.coversReset(false) ? ['reset'] : []),
      ...(policy.coversResponse(limited) ? ['limited'] : []),
      ...statuses,
      ...calls.map((status) => `grpc-${status}`),
    ];
    assert.equal(covered.join(' '), expected);
    const looks = statuses.length > 0 || calls.length > 0 || policy.coversResponse(limited);
    assert.equal(policy.looksAtResponses, looks);
  });
}

/** Below what the pauses before the first retries stay: the first number that leaves no remainder is the bound itself. */
function bounds(policy: Policy): number[] {
  const compiled = policyOf(undefined, { ...onConnect, ...policy })!;
  return [1, 2, 3, 4, 5, 6].map((retry) => {
    let number = 1;
    const random: Random = { uint32: () => number, float: () => 0 };
    while (compiled.pauseMs(retry, random) !== 0) number++;
    return number;
  });
}

test('pauses are random below a bound that doubles, up to ten times the first', () => {
  assert.deepEqual(bounds({}), [25, 50, 100, 200, 250, 250]);
  const second = { seconds: 1, nanos: 0 };
  assert.deepEqual(
    bounds({ retryBackOff: { baseInterval: { seconds: 0, nanos: 4e8 }, maxInterval: second } }),
    [400, 800, 1000, 1000, 1000, 1000],
  );
  assert.deepEqual(bounds({ retryBackOff: { baseInterval: { seconds: 0, nanos: 1 } } })[0], 1);
});

test('fields of a response and of the request decide where they are named', () => {
  const policy = policyOf(undefined, {
    retryOn: 'retriable-headers',
    retriableHeaders: [{ name: 'X-Again', headerMatchSpecifier: { $case: 'presentMatch', value: true } }],
    retriableRequestHeaders: [{ name: ':method', headerMatchSpecifier: exactly('GET') }],
  })!;
  assert.equal(policy.looksAtResponses, true);
  assert.equal(policy.coversResponse(response(200, { 'x-again': '' })), true);
  assert.equal(policy.coversResponse(response(503)), false);
  assert.equal(policy.coversRequest(testRequest()), true);
  assert.equal(policy.coversRequest(testRequest({ method: 'POST' })), false);
  const unasked = policyOf(undefined, { retryOn: '5xx', retriableHeaders: [{ name: 'x-again' }] })!;
  assert.equal(unasked.coversResponse(response(200, { 'x-again': '' })), false);
});

function exactly(exact: string) {
  return { $case: 'stringMatch', value: { matchPattern: { $case: 'exact', value: exact } } } as const;
}

test('an upstream says how long it wants to be left alone, in the first field that makes sense', () => {
  const policy = policyOf(undefined, {
    retryOn: '5xx',
    rateLimitedRetryBackOff: {
      resetHeaders: [{ name: 'Retry-After' }, { name: 'X-Reset', format: 1 }],
      maxInterval: { seconds: 100, nanos: 0 },
    },
  })!;
  const told = (fields: Readonly<Record<string, string>>): number =>
    policy.toldPauseMs(response(503, fields), 1_000_400);
  assert.equal(told({ 'retry-after': '7', 'x-reset': '1050' }), 7000);
  assert.equal(told({ 'retry-after': 'Sat, 21 Nov 2026 21:00:55 GMT', 'x-reset': '1050' }), 50_000);
  assert.equal(told({ 'retry-after': '101', 'x-reset': '999' }), -1);
  assert.equal(told({}), -1);
});

test('what no retry policy may say is refused at its place', () => {
  assert.deepEqual(problemsOf({ retryOn: 'connect-failure,http3-post-connect-failure' }), [
    'retry_on: "http3-post-connect-failure" is not supported yet',
  ]);
  assert.deepEqual(problemsOf({ ...onConnect, retryHostPredicate: [{ name: 'canary' }] }), [
    'retry_host_predicate[0]: the extension canary is not supported yet',
  ]);
  assert.deepEqual(problemsOf({ ...onConnect, hostSelectionRetryMaxAttempts: -1 }), [
    'host_selection_retry_max_attempts: must not be negative',
  ]);
  assert.deepEqual(problemsOf({ ...onConnect, rateLimitedRetryBackOff: {} }), [
    'rate_limited_retry_back_off.reset_headers: must not be empty',
  ]);
  assert.deepEqual(problemsOf({ ...onConnect, retryBackOff: {} }), [
    'retry_back_off.base_interval: must be more than 0',
  ]);
  const seconds = (count: number) => ({ seconds: count, nanos: 0 });
  assert.deepEqual(
    problemsOf({ ...onConnect, retryBackOff: { baseInterval: seconds(2), maxInterval: seconds(1) } }),
    ['retry_back_off.max_interval: must not be less than base_interval'],
  );
});
