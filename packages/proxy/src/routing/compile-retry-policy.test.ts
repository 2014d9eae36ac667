import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Result, type Problem, systemRandom } from '@heddle/base';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { testRequest } from './request-view-harness.ts';
import type { RouteTable } from './route-table.ts';

interface Policy {
  readonly retryOn: string;
  readonly numRetries?: number;
}

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

function retries(ofHost: Policy | undefined, ofRoute: Policy | undefined): number | undefined {
  const table = compile(ofHost, ofRoute);
  assert.ok(table.ok);
  return table.value.match(testRequest(), systemRandom)?.connectRetries;
}

const onConnect: Policy = { retryOn: 'connect-failure' };

test('connect failures are retried as the route or else its virtual host says, and not otherwise', () => {
  assert.equal(retries(undefined, undefined), 0);
  assert.equal(retries(undefined, onConnect), 1);
  assert.equal(retries({ ...onConnect, numRetries: 2 }, undefined), 2);
  assert.equal(retries({ ...onConnect, numRetries: 2 }, { ...onConnect, numRetries: 0 }), 0);
  assert.equal(retries(onConnect, { retryOn: '', numRetries: 5 }), 0);
});

test('other conditions of retries are refused at their place', () => {
  const policy = { retryOn: 'connect-failure,5xx' };
  const table = compile(policy, policy);
  assert.ok(!table.ok);
  assert.deepEqual(
    table.error.map(({ path, message }) => `${path}: ${message}`),
    [
      'virtual_hosts[0].retry_policy.retry_on: "5xx" is not supported yet',
      'virtual_hosts[0].routes[0].route.retry_policy.retry_on: "5xx" is not supported yet',
    ],
  );
});
