import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packAny, TypeUrl } from '@heddle/xds';
import { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { type CompiledFilters, compileHttpFilters } from './compile-http-filters.ts';
import { ProblemList } from './problem-list.ts';

type FilterInput = Parameters<typeof HttpFilter.fromPartial>[0];

const router: FilterInput = {
  name: 'router',
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.router, {}) },
};
const rbac = (name: string, more: FilterInput = {}): FilterInput => ({
  name,
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.httpRbac, { rules: {} }) },
  ...more,
});

function compile(...filters: FilterInput[]): CompiledFilters & { readonly problems: string[] } {
  const problems = new ProblemList();
  const compiled = compileHttpFilters(
    filters.map((filter) => HttpFilter.fromPartial(filter)),
    'f',
    problems,
  );
  return { ...compiled, problems: problems.problems.map(({ path, message }) => `${path}: ${message}`) };
}

test('filters keep their order, and the router ends them', () => {
  const { filters, router: own, problems } = compile(rbac('b'), rbac('a', { disabled: true }), router);
  assert.deepEqual(problems, []);
  assert.notEqual(own, null);
  assert.deepEqual(
    filters.map(({ name, isDisabled }) => [name, isDisabled]),
    [
      ['b', false],
      ['a', true],
    ],
  );
});

test('grpc_stats stands apart, once', () => {
  const value = packAny(TypeUrl.grpcStats, { enableUpstreamStats: true, emitFilterState: true });
  const stats: FilterInput = { name: 's', configType: { $case: 'typedConfig', value } };
  const { filters, grpcStats, problems } = compile(stats, rbac('a'), router);
  assert.equal(filters.length, 1);
  assert.equal(grpcStats?.timesUpstream, true);
  assert.deepEqual(problems, ['f[0].typed_config.emit_filter_state: is not supported yet']);
  assert.equal(compile({ ...stats, disabled: true }, router).grpcStats, null);
  assert.equal(compile(stats, stats, router).problems[1], 'f[1]: counts calls once more');
});

test('calls in other forms have filters of their own', () => {
  const web: FilterInput = {
    name: 'web',
    configType: { $case: 'typedConfig', value: packAny(TypeUrl.grpcWeb, {}) },
  };
  const options = { upgradeProtobufToGrpc: true, ignoreQueryParameters: true };
  const bridge: FilterInput = {
    name: 'bridge',
    disabled: true,
    configType: { $case: 'typedConfig', value: packAny(TypeUrl.grpcHttp1Bridge, options) },
  };
  const { filters, problems } = compile(web, bridge, router);
  assert.deepEqual(problems, []);
  assert.deepEqual(filters, [
    { kind: 'grpc-web', name: 'web', isDisabled: false },
    {
      kind: 'grpc-http1-bridge',
      name: 'bridge',
      isDisabled: true,
      upgradesProtobuf: true,
      ignoresQuery: true,
    },
  ]);
});

test('nothing may follow the router', () => {
  assert.deepEqual(compile(router, rbac('a')).problems, [
    'f[0]: nothing can follow the router',
    'f: must end with the router, once',
  ]);
});

test('a filter needs a name, by which routes speak to it', () => {
  assert.deepEqual(compile(rbac(''), router).problems, ['f[0].name: must not be empty']);
});

test('an optional filter that is known is as strict as any', () => {
  const broken: FilterInput = {
    name: 'rbac',
    isOptional: true,
    configType: {
      $case: 'typedConfig',
      value: packAny(TypeUrl.httpRbac, { rules: { policies: { p: {} } } }),
    },
  };
  assert.deepEqual(compile(broken, router).problems, [
    'f[0].typed_config.rules.policies[p].permissions: must not be empty',
    'f[0].typed_config.rules.policies[p].principals: must not be empty',
  ]);
});
