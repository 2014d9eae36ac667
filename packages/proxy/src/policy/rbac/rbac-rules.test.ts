import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestRequest } from '../../routing/request-view-harness.ts';
import { compiled, isMatch, rbacRequest, type TestConnection, testConnection } from './rbac-harness.ts';

const client = 'spiffe://cluster.local/ns/default/sa/client';
const withUri: TestConnection = {
  peer: { uriSans: [client], dnsSans: ['dns.example'], subject: 'O=org,CN=uri' },
};
const withDns: TestConnection = { peer: { dnsSans: ['dns.example'], subject: 'CN=dns' } };
const withSubject: TestConnection = { peer: { subject: 'CN=sub' } };
const anonymous: TestConnection = { peer: null };
const plain: TestConnection = {};
const everybody = { withUri, withDns, withSubject, anonymous, plain };

const named = (principal_name: object): object => ({ authenticated: { principal_name } });

// Who Envoy 1.40 takes for whom, found by asking it with certificates like these.
const names: readonly (readonly [object, readonly (keyof typeof everybody)[]])[] = [
  [named({ exact: client }), ['withUri']],
  [named({ exact: 'dns.example' }), ['withUri', 'withDns']],
  [named({ exact: 'O=org,CN=uri' }), ['withUri']],
  [named({ exact: 'CN=sub' }), ['withSubject']],
  [named({ exact: 'DNS.example' }), []],
  [named({ exact: 'DNS.example', ignore_case: true }), ['withUri', 'withDns']],
  [named({ prefix: 'spiffe://cluster.local/ns/default/' }), ['withUri']],
  [named({ safe_regex: { regex: 'spiffe://.+/ns/default/(.+/|)sa/client(/.+)?' } }), ['withUri']],
  [named({ safe_regex: { regex: '.+' } }), ['withUri', 'withDns', 'withSubject']],
  [named({ safe_regex: { regex: '.*' } }), ['withUri', 'withDns', 'withSubject', 'anonymous']],
  [named({ exact: '' }), ['anonymous']],
  [{ authenticated: {} }, ['withUri', 'withDns', 'withSubject', 'anonymous']],
  [{ not_id: named({ exact: client }) }, ['withDns', 'withSubject', 'anonymous', 'plain']],
];

describe('authenticated takes', () => {
  for (const [principal, expected] of names) {
    test(JSON.stringify(principal), () => {
      const taken = Object.entries(everybody).filter(([, connection]) => isMatch({ principal }, connection));
      assert.deepEqual(
        taken.map(([name]) => name),
        expected,
      );
    });
  }

  test('nobody for what a header says', () => {
    const spoofed: TestRequest = {
      headers: { 'x-forwarded-client-cert': `By=spiffe://b;URI=${client}`, 'x-client-id': client },
    };
    const principal = named({ exact: client });
    for (const connection of [plain, anonymous, withDns]) {
      assert.equal(isMatch({ principal }, connection, spoofed), false);
    }
  });

  test('the same peers by a pattern as often as it is asked', () => {
    const { rules } = compiled({
      rules: {
        policies: { p: { permissions: [{ any: true }], principals: [named({ suffix: '/sa/client' })] } },
      },
    });
    const [taken, left] = [testConnection(withUri), testConnection(withDns)];
    for (let time = 0; time < 3; time++) {
      assert.notEqual(rules!.match(taken, rbacRequest()), null);
      assert.equal(rules!.match(left, rbacRequest()), null);
    }
  });

  test('one of hundreds of ids, exact or not', () => {
    const ids = Array.from({ length: 500 }, (_, i) =>
      named({ exact: `spiffe://cluster.local/ns/a/sa/${i}` }),
    );
    const or = {
      or_ids: {
        ids: [...ids, { or_ids: { ids: [named({ suffix: '/sa/other' }), named({ exact: client })] } }],
      },
    };
    const peer = (uri: string): TestConnection => ({ peer: { uriSans: [uri] } });
    assert.equal(isMatch({ principal: or }, withUri), true);
    assert.equal(isMatch({ principal: or }, peer('spiffe://cluster.local/ns/a/sa/499')), true);
    assert.equal(isMatch({ principal: or }, peer('spiffe://cluster.local/ns/a/sa/other')), true);
    assert.equal(isMatch({ principal: or }, peer('spiffe://cluster.local/ns/a/sa/500')), false);
    assert.equal(isMatch({ principal: or }, plain), false);
  });
});

const range = (address_prefix: string, prefix_len: number): object => ({ address_prefix, prefix_len });

describe('addresses', () => {
  const connection: TestConnection = {
    directRemoteAddress: '10.1.0.1',
    remoteAddress: '10.2.0.1',
    localAddress: '10.3.0.1',
    localPort: 8080,
  };
  const owners: readonly (readonly [string, object])[] = [
    ['10.1.0.0', { principal: { direct_remote_ip: range('10.1.0.0', 16) } }],
    ['10.2.0.0', { principal: { source_ip: range('10.2.0.0', 16) } }],
    ['10.3.0.0', { permission: { destination_ip: range('10.3.0.0', 16) } }],
    ['10.4.0.0', { principal: { remote_ip: range('10.4.0.0', 16) } }],
  ];
  for (const [address, policy] of owners) {
    test(`${JSON.stringify(policy)} asks for the one of its owner`, () => {
      assert.equal(isMatch(policy, connection, {}, '10.4.0.1'), true);
      const other = JSON.parse(JSON.stringify(policy).replace(address, '10.9.0.0')) as typeof policy;
      assert.equal(isMatch(other, connection, {}, '10.4.0.1'), false);
    });
  }

  test('of another family, or none, lie in no range', () => {
    const principal = { source_ip: range('0.0.0.0', 0) };
    assert.equal(isMatch({ principal }, { remoteAddress: '::1' }), false);
    assert.equal(isMatch({ principal }, { remoteAddress: '/run/socket' }), false);
    assert.equal(isMatch({ principal }, { remoteAddress: '::ffff:10.0.0.1' }), true);
    assert.equal(
      isMatch({ principal: { source_ip: range('fe80::', 10) } }, { remoteAddress: 'fe80::1%eth0' }),
      true,
    );
  });

  test('one of several ranges is enough, whoever’s', () => {
    const ids = [
      { source_ip: range('10.5.0.0', 16) },
      { source_ip: range('10.6.0.0', 16) },
      { direct_remote_ip: range('10.7.0.0', 16) },
    ];
    const principal = { or_ids: { ids } };
    assert.equal(isMatch({ principal }, { remoteAddress: '10.6.1.1' }), true);
    assert.equal(isMatch({ principal }, { directRemoteAddress: '10.7.1.1' }), true);
    assert.equal(isMatch({ principal }, { remoteAddress: '10.7.1.1' }), false);
  });

  test('a range of one address, and one that is not whole bytes', () => {
    const takes = (prefix: string, bits: number, remoteAddress: string): boolean =>
      isMatch({ principal: { source_ip: range(prefix, bits) } }, { remoteAddress });
    assert.deepEqual([takes('10.0.0.1', 32, '10.0.0.1'), takes('10.0.0.1', 32, '10.0.0.2')], [true, false]);
    assert.deepEqual([takes('10.0.0.0', 30, '10.0.0.3'), takes('10.0.0.0', 30, '10.0.0.4')], [true, false]);
  });
});

test('ports of the destination, one or a range without its end', () => {
  const takes = (permission: object, localPort: number): boolean => isMatch({ permission }, { localPort });
  assert.deepEqual([takes({ destination_port: 80 }, 80), takes({ destination_port: 80 }, 81)], [true, false]);
  const ports = { destination_port_range: { start: 80, end: 82 } };
  assert.deepEqual(
    [79, 80, 81, 82].map((port) => takes(ports, port)),
    [false, true, true, false],
  );
  assert.equal(takes({ destination_port: 0 }, 0), false);
});

test('the server name is that of the ClientHello, in small letters', () => {
  const permission = { requested_server_name: { exact: 'a.example' } };
  assert.equal(isMatch({ permission }, { peer: null, serverName: 'A.example' }), true);
  assert.equal(isMatch({ permission }, { inspectedServerName: 'a.example' }), true);
  assert.equal(
    isMatch({ permission }, { peer: null, serverName: 'b.example', inspectedServerName: 'a.example' }),
    false,
  );
  assert.equal(isMatch({ permission: { requested_server_name: { exact: '' } } }, plain), true);
});

test('the path is compared without its query, and CONNECT has none', () => {
  const permission = { url_path: { path: { exact: '/admin' } } };
  const takes = (path: string, of: object = permission): boolean => isMatch({ permission: of }, {}, { path });
  assert.deepEqual(
    ['/admin', '/admin?x=/y', '/admin#z', '/admin/', '/ADMIN', '//admin', '/x?/admin'].map((path) =>
      takes(path),
    ),
    [true, true, true, false, false, false, false],
  );
  const all = { url_path: { path: { safe_regex: { regex: '.*' } } } };
  assert.deepEqual([takes('/x', all), takes('', all)], [true, false]);
  assert.equal(isMatch({ principal: permission }, {}, { path: '/admin' }), true);
});

describe('a header', () => {
  const role = (value: object): object => ({ header: { name: 'X-Role', ...value } });
  const admin = role({ string_match: { exact: 'admin' } });
  const takes = (permission: object, headers: TestRequest['headers']): boolean =>
    isMatch({ permission }, {}, { headers: headers ?? {} });

  test('that comes twice does not hide itself', () => {
    assert.equal(takes(admin, { 'x-role': ['user', 'admin'] }), true);
    assert.equal(takes(admin, { 'x-role': ['admin', 'user'] }), true);
    assert.equal(takes({ not_rule: admin }, { 'x-role': ['user', 'admin'] }), false);
    assert.equal(
      takes(role({ string_match: { exact: 'admin' }, invert_match: true }), { 'x-role': ['user', 'admin'] }),
      false,
    );
  });

  test('may be the method, the path or the authority', () => {
    const is = (name: string, exact: string): boolean =>
      isMatch(
        { permission: { header: { name, string_match: { exact } } } },
        {},
        {
          method: 'GET',
          path: '/a?b',
          authority: 'a.example',
          headers: { 'x-http-method-override': 'DELETE' },
        },
      );
    assert.deepEqual(
      [is(':method', 'GET'), is(':method', 'DELETE'), is(':path', '/a?b')],
      [true, false, true],
    );
    assert.deepEqual([is(':authority', 'a.example'), is('host', 'a.example')], [true, true]);
  });

  test('may say who somebody is where the policy trusts it', () => {
    assert.equal(isMatch({ principal: admin }, {}, { headers: { 'x-role': 'admin' } }), true);
  });
});

describe('conditions are put together', () => {
  const get = { header: { name: ':method', string_match: { exact: 'GET' } } };
  const path = { url_path: { path: { prefix: '/a' } } };
  const takes = (permission: object, request: TestRequest): boolean => isMatch({ permission }, {}, request);

  test('all, one, or not', () => {
    const both = { and_rules: { rules: [get, { any: true }, { and_rules: { rules: [path] } }] } };
    assert.equal(takes(both, { method: 'GET', path: '/a' }), true);
    assert.equal(takes(both, { method: 'PUT', path: '/a' }), false);
    assert.equal(takes(both, { method: 'GET', path: '/b' }), false);
    const one = { or_rules: { rules: [get, { or_rules: { rules: [path] } }] } };
    assert.equal(takes(one, { method: 'PUT', path: '/a' }), true);
    assert.equal(takes(one, { method: 'PUT', path: '/b' }), false);
    assert.equal(takes({ or_rules: { rules: [get, { any: true }] } }, { method: 'PUT' }), true);
    assert.equal(takes({ not_rule: one }, { method: 'PUT', path: '/b' }), true);
  });

  test('of several permissions and principals one each is enough', () => {
    const { rules } = compiled({
      rules: {
        policies: {
          p: { permissions: [get, path], principals: [named({ exact: client }), named({ exact: 'CN=sub' })] },
        },
      },
    });
    const takes2 = (connection: TestConnection, request: TestRequest): boolean =>
      rules!.match(testConnection(connection), rbacRequest(request)) !== null;
    assert.equal(takes2(withUri, { method: 'PUT', path: '/a' }), true);
    assert.equal(takes2(withSubject, { method: 'GET', path: '/b' }), true);
    assert.equal(takes2(withSubject, { method: 'PUT', path: '/b' }), false);
    assert.equal(takes2(withDns, { method: 'GET', path: '/a' }), false);
  });
});

describe('rules', () => {
  const policies = (...policyNames: string[]): object =>
    Object.fromEntries(
      policyNames.map((name) => [name, { permissions: [{ any: true }], principals: [{ any: true }] }]),
    );
  const decide = (rules: object): readonly [boolean, string | undefined] => {
    const { rules: own } = compiled({ rules });
    const matched = own!.match(testConnection(), rbacRequest());
    return [own!.allows(matched), matched?.name];
  };

  test('allow, deny or only log what matches', () => {
    assert.deepEqual(decide({ policies: policies('p') }), [true, 'p']);
    assert.deepEqual(decide({ action: 'DENY', policies: policies('p') }), [false, 'p']);
    assert.deepEqual(decide({ action: 'LOG', policies: policies('p') }), [true, 'p']);
  });

  test('without policies allow nothing, or deny nothing', () => {
    assert.deepEqual(decide({}), [false, undefined]);
    assert.deepEqual(decide({ action: 'DENY' }), [true, undefined]);
    assert.deepEqual(decide({ action: 'LOG' }), [true, undefined]);
    assert.equal(compiled({}).rules, null);
  });

  test('are tried in the order of their names', () => {
    assert.deepEqual(decide({ policies: policies('b', 'a', 'B') }), [true, 'B']);
  });

  test('say which of them denied, in one word', () => {
    const { rules } = compiled({ rules: { action: 'DENY', policies: policies('ns[a] policy\tone') } });
    assert.equal(
      rules!.match(testConnection(), rbacRequest())!.denial.details,
      'rbac_access_denied_matched_policy[ns[a]_policy_one]',
    );
  });
});
