import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RBAC } from '@heddle/xds/api/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { ProblemList } from '../../config/problem-list.ts';
import { compileHttpRbac } from './compile-rbac.ts';
import { compiled, problemsOf } from './rbac-harness.ts';

const any = { any: true };
const rules = (policy: object): object => ({ rules: { policies: { p: policy } } });
const permission = (rule: object): object => rules({ permissions: [any, rule], principals: [any] });
const principal = (id: object): object => rules({ permissions: [any], principals: [id] });

// Every one of these would leave a policy without its effect if it were skipped.
const refusals: readonly (readonly [string, object])[] = [
  ['rbac.rules.policies[p].permissions: must not be empty', rules({ principals: [any] })],
  ['rbac.rules.policies[p].principals: must not be empty', rules({ permissions: [any] })],
  [
    'rbac.shadow_rules.policies[p].permissions: must not be empty',
    { shadow_rules: { policies: { p: { principals: [any] } } } },
  ],
  ['rbac.rules.policies[p].permissions[1]: needs one of and_rules,', permission({})],
  ['rbac.rules.policies[p].permissions[1].any: must be true', permission({ any: false })],
  ['rbac.rules.policies[p].permissions[1].or_rules.rules: must not be empty', permission({ or_rules: {} })],
  [
    'rbac.rules.policies[p].permissions[1].and_rules.rules[0].not_rule: needs one of',
    permission({ and_rules: { rules: [{ not_rule: {} }] } }),
  ],
  [
    'rbac.rules.policies[p].permissions[1].header.name: "a b" is no header name',
    permission({ header: { name: 'a b' } }),
  ],
  ['rbac.rules.policies[p].permissions[1].url_path.path: is required', permission({ url_path: {} })],
  [
    'rbac.rules.policies[p].permissions[1].url_path.path.safe_regex.regex: "(" is no regular expression of RE2',
    permission({ url_path: { path: { safe_regex: { regex: '(' } } } }),
  ],
  [
    'rbac.rules.policies[p].permissions[1].destination_ip.address_prefix: "10.0.0" is no IP address',
    permission({ destination_ip: { address_prefix: '10.0.0' } }),
  ],
  [
    'rbac.rules.policies[p].permissions[1].destination_port: [65536, 65537) is no range',
    permission({ destination_port: 65_536 }),
  ],
  [
    'rbac.rules.policies[p].permissions[1].destination_port_range: [2, 2) is no range',
    permission({ destination_port_range: { start: 2, end: 2 } }),
  ],
  [
    'rbac.rules.policies[p].permissions[1].requested_server_name: needs one of exact,',
    permission({ requested_server_name: {} }),
  ],
  ['rbac.rules.policies[p].principals[0]: needs one of and_ids,', principal({})],
  ['rbac.rules.policies[p].principals[0].and_ids.ids: must not be empty', principal({ and_ids: {} })],
  [
    'rbac.rules.policies[p].principals[0].authenticated.principal_name: needs one of exact,',
    principal({ authenticated: { principal_name: {} } }),
  ],
  [
    'rbac.rules.policies[p].principals[0].remote_ip.prefix_len: must be 0 to 32',
    principal({ remote_ip: { address_prefix: '10.0.0.0', prefix_len: 33 } }),
  ],
];

describe('refuses whole, with the place,', () => {
  for (const [expected, json] of refusals) {
    test(expected, () => {
      const problems = problemsOf(json);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.equal(problems[0]!.slice(0, expected.length), expected);
    });
  }
});

// Fields that our messages don't have: the decoder refuses them by name, from a file and from xDS alike.
const unsupported: readonly (readonly [string, object])[] = [
  ['rules.policies[p].condition', rules({ permissions: [any], principals: [any], condition: {} })],
  [
    'rules.policies[p].checked_condition',
    rules({ permissions: [any], principals: [any], checked_condition: {} }),
  ],
  ['matcher', { matcher: {} }],
  ['shadow_matcher', { shadow_matcher: {} }],
  ['rules.policies[p].permissions[1].metadata', permission({ metadata: {} })],
  ['rules.policies[p].permissions[1].uri_template', permission({ uri_template: {} })],
  ['rules.policies[p].permissions[1].sourced_metadata', permission({ sourced_metadata: {} })],
  ['rules.policies[p].principals[0].metadata', principal({ metadata: {} })],
  ['rules.policies[p].principals[0].filter_state', principal({ filter_state: {} })],
  ['rules.policies[p].principals[0].not_id.metadata', principal({ not_id: { metadata: {} } })],
  ['rules.audit_logging_options', { rules: { audit_logging_options: {} } }],
];

test('says what to write instead of a condition in CEL', () => {
  const [problem] = problemsOf(rules({ permissions: [any], principals: [any], condition: {} }));
  assert.match(problem!, /rules\.policies\[p\]\.condition.*CEL is not evaluated: say it by permissions/s);
});

describe('refuses by name', () => {
  for (const [path, json] of unsupported) {
    test(path, () =>
      assert.match(problemsOf(json).join('\n'), new RegExp(`${path.replaceAll(/[[\]]/g, '\\$&')}\\b`)),
    );
  }
});

test('refuses an action that it does not know', () => {
  const problems = new ProblemList();
  // What a newer control plane may send.
  compileHttpRbac(RBAC.fromPartial({ rules: { action: 7 as never } }), 'rbac', problems);
  assert.deepEqual(
    problems.problems.map(({ path, message }) => `${path}: ${message}`),
    ['rbac.rules.action: is no known value'],
  );
});

test('prefixes of counters are told without the dot that ends them', () => {
  const { statPrefix, shadowStatPrefix, tracksPolicies } = compiled({
    rules_stat_prefix: 'pre_',
    shadow_rules_stat_prefix: 'shadow.',
    track_per_rule_stats: true,
  });
  assert.deepEqual([statPrefix, shadowStatPrefix, tracksPolicies], ['pre_', 'shadow', true]);
});
