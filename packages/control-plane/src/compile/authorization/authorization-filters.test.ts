import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuthorizationPolicy, parseManifests } from '@heddle/model';
import { type MessageOf, TypeUrl, unpackAny } from '@heddle/xds';
import { connectionAuthorization, requestAuthorization } from './authorization-filters.ts';

const place = { trustDomains: ['cluster.local'], ports: [80, 8080] };

/** Policies of the namespace `foo`, named `a`, `b` and so on. */
function policies(...written: string[]): AuthorizationPolicy[] {
  return written.map((spec, index) => {
    const name = String.fromCodePoint(97 + index);
    const text = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: foo}\n${spec}\n`;
    const { objects, problems } = parseManifests([{ name: 'f.yaml', text }], { namespace: 'foo' });
    assert.ok(objects.length === 1, JSON.stringify(problems));
    return objects[0]!.object as AuthorizationPolicy;
  });
}

type Rbac = MessageOf<typeof TypeUrl.httpRbac>;

function requests(...written: string[]): Rbac[] {
  return requestAuthorization(policies(...written), place).map(({ configType }) => {
    const message = unpackAny(configType!.value as never, TypeUrl.httpRbac);
    return message.ok ? message.value : assert.fail();
  });
}

function connections(...written: string[]): MessageOf<typeof TypeUrl.networkRbac>[] {
  return connectionAuthorization(policies(...written), place).map(({ configType }) => {
    const message = unpackAny(configType!.value as never, TypeUrl.networkRbac);
    return message.ok ? message.value : assert.fail();
  });
}

const names = (rbac: Pick<Rbac, 'rules'> | undefined): string[] => Object.keys(rbac?.rules?.policies ?? {});
const any = (field: string): string => JSON.stringify({ [field]: { $case: 'any', value: true } });
const allow = 0;
const deny = 1;

test('without policies there is no filter, and a policy without rules lets nobody in', () => {
  assert.deepEqual(requests(), []);
  const [only] = requests('spec: {}');
  assert.deepEqual([only?.rules?.action, names(only)], [allow, []]);
  const [everybody] = requests('spec: {rules: [{}]}');
  assert.deepEqual(names(everybody), ['ns[foo]-policy[a]-rule[0]']);
  assert.equal(
    JSON.stringify(everybody?.rules?.policies['ns[foo]-policy[a]-rule[0]']),
    `{"permissions":[${any('rule')}],"principals":[${any('identifier')}]}`,
  );
});

test('those that deny are asked before those that allow, and nobody is asked who cannot be', () => {
  const rule = 'rules: [{to: [{operation: {methods: [GET]}}]}]';
  const filters = requests(
    `spec: {${rule}}`,
    `spec: {action: DENY, ${rule}}`,
    `spec: {action: AUDIT, ${rule}}`,
    `spec: {action: CUSTOM, provider: {name: p}, ${rule}}`,
  );
  const seen = filters.map((filter) => `${filter.rules?.action} ${names(filter).join()}`);
  const log = 2;
  assert.deepEqual(seen, [
    `${deny} ns[foo]-policy[d]-rule[0]`,
    `${log} ns[foo]-policy[c]-rule[0]`,
    `${deny} ns[foo]-policy[b]-rule[0]`,
    `${allow} ns[foo]-policy[a]-rule[0]`,
  ]);
});

test('a policy on trial is counted and not enforced', () => {
  const [{ metadata, ...rest }] = policies('spec: {}') as [AuthorizationPolicy];
  const counted = { ...rest, metadata: { ...metadata, annotations: { 'istio.io/dry-run': 'true' } } };
  const [filter] = requestAuthorization([counted], place);
  const message = unpackAny(filter!.configType!.value as never, TypeUrl.httpRbac);
  assert.ok(message.ok);
  assert.equal(message.value.rules, undefined);
  assert.deepEqual(message.value.shadowRules?.policies, {});
  assert.equal(message.value.shadowRulesStatPrefix, 'istio_dry_run_allow_');
});

test('what cannot be decided never lets anybody in', () => {
  const rules = `rules:
  - from: [{source: {requestPrincipals: ["*"], namespaces: [shop]}}]
  - from: [{source: {notRequestPrincipals: [x], namespaces: [shop]}}]
  - when: [{key: "request.auth.claims[group]", values: [admin]}]
  - when: [{key: experimental.envoy.filters.a, notValues: [x]}]
  - from: [{source: {namespaces: [shop]}}]`;
  const [allowing] = requests(`spec:\n  ${rules}`);
  assert.deepEqual(names(allowing), ['ns[foo]-policy[a]-rule[4]']);
  const [denying] = requests(`spec:\n  action: DENY\n  ${rules}`);
  const { policies: made } = denying!.rules!;
  const shop = JSON.stringify(made['ns[foo]-policy[a]-rule[4]']?.principals);
  const anybody = `[${any('identifier')}]`;
  assert.deepEqual(
    Object.values(made).map(({ principals }) => JSON.stringify(principals)),
    [shop, shop, anybody, anybody, shop],
  );
});

test('what is asked of requests does not let a connection in, and does not keep one from being denied', () => {
  const rules = `rules:
  - to: [{operation: {methods: [GET]}}]
  - to: [{operation: {notPaths: [/a], ports: ["80"]}}]
  - to: [{operation: {ports: ["80"]}}]`;
  const [allowing] = connections(`spec:\n  ${rules}`);
  assert.deepEqual(names(allowing), ['ns[foo]-policy[a]-rule[2]']);
  assert.equal(allowing?.statPrefix, 'tcp.');
  const [denying] = connections(`spec:\n  action: DENY\n  ${rules}`);
  const anything = `[${any('rule')}]`;
  assert.deepEqual(
    Object.values(denying!.rules!.policies).map(({ permissions }) => JSON.stringify(permissions)),
    [anything, anything, anything],
  );
});

test('a port is that of the service or the application, whatever the sidecar listens at', () => {
  const permissionOf = (port: string, ports: readonly number[] | null): string => {
    const spec = `spec: {rules: [{to: [{operation: {ports: ["${port}"]}}]}]}`;
    const [filter] = connectionAuthorization(policies(spec), { trustDomains: ['td'], ports });
    const message = unpackAny(filter!.configType!.value as never, TypeUrl.networkRbac);
    assert.ok(message.ok);
    const rule = Object.values(message.value.rules!.policies)[0]!.permissions[0]!.rule!;
    return rule.$case;
  };
  assert.equal(permissionOf('80', [80, 8080]), 'any');
  assert.equal(permissionOf('8080', [80, 8080]), 'any');
  assert.equal(permissionOf('443', [80, 8080]), 'notRule');
  assert.equal(permissionOf('443', null), 'destinationPort');
});

test('callers are those of the mesh’s trust domain, whatever its name', () => {
  const spec = `spec: {rules: [{from: [{source: {principals: [cluster.local/ns/a/sa/b, other/ns/a/sa/b]}}]}]}`;
  const [filter] = requestAuthorization(policies(spec), { trustDomains: ['shop'], ports: null });
  const message = unpackAny(filter!.configType!.value as never, TypeUrl.httpRbac);
  assert.ok(message.ok);
  const json = JSON.stringify(message.value.rules);
  assert.ok(json.includes('"spiffe://shop/ns/a/sa/b"') && json.includes('"spiffe://other/ns/a/sa/b"'));
  assert.ok(!json.includes('cluster.local'));
});

test('writes a policy as Envoy’s', () => {
  const [filter] = requestAuthorization(
    policies(`spec:
  rules:
  - from: [{source: {principals: [cluster.local/ns/a/sa/b], notIpBlocks: [10.0.0.0/8]}}]
    to: [{operation: {hosts: ["*.shop.example"], paths: ["/a/{*}/{**}", /b*]}}]
    when: [{key: "request.headers[X-Team]", values: [red, "*"]}]`),
    place,
  );
  const message = unpackAny(filter!.configType!.value as never, TypeUrl.httpRbac);
  assert.ok(message.ok);
  const policy = message.value.rules!.policies['ns[foo]-policy[a]-rule[0]']!;
  const json = JSON.stringify(policy);
  for (const part of ['/a/[^/]+/.*', '"x-team"', '.shop.example', 'directRemoteIp'])
    assert.ok(json.includes(part), part);
  assert.equal(policy.permissions[0]?.rule?.$case, 'andRules');
  assert.equal(policy.principals[0]?.identifier?.$case, 'andIds');
});
