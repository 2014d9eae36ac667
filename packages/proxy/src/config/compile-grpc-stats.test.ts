import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilterConfig } from '@heddle/xds/api/envoy/extensions/filters/http/grpc_stats/v3/config.ts';
import { compileGrpcStats } from './compile-grpc-stats.ts';
import { ProblemList } from './problem-list.ts';

function compile(fields: Parameters<typeof FilterConfig.fromPartial>[0]) {
  const problems = new ProblemList();
  const rules = compileGrpcStats(FilterConfig.fromPartial(fields), 'stats', problems);
  return { rules, problems: problems.problems.map(({ path, message }) => `${path}: ${message}`) };
}

test('methods have series of their own where that is asked, and none by default', () => {
  const all = { $case: 'statsForAllMethods', value: true } as const;
  assert.equal(compile({ perMethodStatSpecifier: all }).rules.methods, 'all');
  const none = { $case: 'statsForAllMethods', value: false } as const;
  assert.deepEqual(compile({ perMethodStatSpecifier: none }).rules.methods, new Set());
  assert.deepEqual(compile({}).rules, { methods: new Set(), timesUpstream: false, replacesDots: false });
});

test('only listed methods have series of their own', () => {
  const { rules } = compile({
    perMethodStatSpecifier: {
      $case: 'individualMethodStatsAllowlist',
      value: {
        services: [
          { name: 'a.S', methodNames: ['One', 'Two'] },
          { name: 'b.S', methodNames: ['One'] },
        ],
      },
    },
    enableUpstreamStats: true,
    replaceDotsInGrpcServiceName: true,
  });
  const methods = new Set(['/a.S/One', '/a.S/Two', '/b.S/One']);
  assert.deepEqual(rules, { methods, timesUpstream: true, replacesDots: true });
});

test('refuses filter state, and lists with nothing in them', () => {
  const services = [{ name: '', methodNames: ['One'] }, { name: 'a.S' }];
  const { problems } = compile({
    emitFilterState: true,
    perMethodStatSpecifier: { $case: 'individualMethodStatsAllowlist', value: { services } },
  });
  assert.deepEqual(problems, [
    'stats.emit_filter_state: is not supported yet',
    'stats.individual_method_stats_allowlist.services[0].name: must not be empty',
    'stats.individual_method_stats_allowlist.services[1].method_names: must not be empty',
  ]);
});
