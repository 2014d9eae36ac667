// Istio's own AuthorizationPolicies and what it compiles them to: for random calls our filters decide as Istio's do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AuthorizationPolicy, parseManifests } from '@heddle/model';
import { SeededRandom } from '@heddle/testkit';
import { messageNameOf, TypeUrl } from '@heddle/xds';
import { messageToJson } from '@heddle/xds/json';
import { parseAllDocuments } from 'yaml';
import {
  connectionAuthorization,
  requestAuthorization,
} from '@heddle/control-plane/compile/authorization/authorization-filters.ts';
import { suiteFolder } from './model-data.ts';
import { type Call, isLetIn, type RbacFilter } from './support/evaluate-rbac.ts';

const folder = suiteFolder('istio-authz');
const callsPerCase = 3000;

interface Case {
  readonly name: string;
  readonly layer: 'http' | 'tcp' | 'ambient';
  readonly input: string;
  readonly outputs: readonly string[];
  readonly trustDomain?: string;
  readonly trustDomainAliases?: readonly string[];
}

function read(file: string): string {
  return readFileSync(join(folder!, file), 'utf8');
}

function policiesOf({ input }: Case): AuthorizationPolicy[] {
  const files = [{ name: input, text: read(input) }];
  const { objects, problems } = parseManifests(files, { namespace: 'foo' });
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return objects.map(({ object }) => object as AuthorizationPolicy);
}

function ours(one: Case, policies: readonly AuthorizationPolicy[]): RbacFilter[] {
  const { trustDomain = 'cluster.local', trustDomainAliases = [] } = one;
  const place = { trustDomains: [trustDomain, ...trustDomainAliases], ports: null };
  const [filters, typeUrl] =
    one.layer === 'http'
      ? [requestAuthorization(policies, place), TypeUrl.httpRbac]
      : [connectionAuthorization(policies, place), TypeUrl.networkRbac];
  return filters.map(({ configType }) => {
    const { value } = configType!.value as { readonly value: Uint8Array };
    return camel(messageToJson(messageNameOf(typeUrl), value)) as RbacFilter;
  });
}

/** Field names as Istio writes them; keys of maps stay. */
function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== 'object' || value === null) return value;
  const rename = (key: string) =>
    /^[a-z_]+$/.test(key) ? key.replaceAll(/_([a-z])/g, (_, one: string) => one.toUpperCase()) : key;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [rename(key), camel(item)]));
}

function theirs({ outputs }: Case): RbacFilter[] {
  return outputs
    .flatMap((file) => parseAllDocuments(read(file)).map((document) => document.toJS() as never))
    .map(({ name, typedConfig }: { name: string; typedConfig: RbacFilter }) => {
      assert.match(name, /\.rbac$/);
      return typedConfig;
    });
}

/** Texts of the input, and of these what patterns among them fit. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const filled = value.replaceAll('{**}', 'x/y').replaceAll('{*}', 'x').replaceAll('*', 'some');
    return [filled, value.replaceAll('*', '')].filter((text) => text !== '');
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function drawCall(random: SeededRandom, texts: readonly string[]): Call {
  const text = (): string => (random.chance(0.9) ? random.pick(texts) : 'other');
  const addresses = [
    ...texts.map((one) => one.split('/')[0]!).filter((one) => /^[\d.]+$/.test(one) && one.includes('.')),
    '203.0.113.9',
  ];
  const ports = [...texts.filter((one) => /^\d+$/.test(one)).map(Number), 4];
  const principals = [
    `spiffe://${text()}`,
    `spiffe://td/ns/${text()}/sa/${text()}`,
    `spiffe://td/ns/${text()}`,
    `spiffe://td1/${text().split('/').slice(1).join('/')}`,
    null,
  ];
  const token = { payload: { iss: text(), sub: text(), aud: [text()], azp: text() } };
  return {
    headers: { ':authority': text(), ':method': text(), 'x-header': text(), 'x-abc': text() },
    path: random.chance(0.5) ? text() : `/${text()}`,
    principal: random.pick(principals),
    directRemoteIp: random.pick(addresses),
    remoteIp: random.pick(addresses),
    destinationIp: random.pick(addresses),
    destinationPort: random.pick(ports),
    serverName: text(),
    metadata: random.chance(0.5) ? {} : { 'envoy.filters.http.jwt_authn': token },
  };
}

/** What Heddle cannot decide: there it may deny what Istio lets in, and never the other way round. */
function isDecidable(policies: readonly AuthorizationPolicy[]): boolean {
  return !/request(?:P|\.auth)|notRequestP|experimental/.test(JSON.stringify(policies));
}

const cases = folder === undefined ? [] : (JSON.parse(read('cases.json')) as Case[]);

test('decides as the filters do that Istio makes of policies', { skip: folder === undefined }, () => {
  const counts = { equal: 0, stricter: 0, skipped: 0 };
  for (const one of cases) {
    const policies = policiesOfAuthorization(one);
    if (policies === null) {
      counts.skipped++;
      continue;
    }
    const [own, other] = [ours(one, policies), theirs(one)];
    const random = new SeededRandom(1);
    const texts = [...new Set(textsIn(policies.map(({ spec }) => spec)))];
    const isExact = isDecidable(policies);
    for (let index = 0; index < callsPerCase; index++) {
      const call = drawCall(random, texts);
      const [letsIn, wanted] = [isLetIn(own, call), isLetIn(other, call)];
      const isRight = isExact ? letsIn === wanted : !letsIn || wanted;
      assert.ok(isRight, `${one.name}: lets in ${letsIn}, Istio ${wanted}: ${JSON.stringify(call)}`);
    }
    counts[isExact ? 'equal' : 'stricter']++;
  }
  console.log(
    `istio-authz: as Istio ${counts.equal}, as Istio or stricter ${counts.stricter}, skipped ${counts.skipped}`,
  );
  assert.ok(counts.equal > 0);
});

/** Null for what is about other things: CUSTOM, which is denied here, and what has another form. */
function policiesOfAuthorization(one: Case): AuthorizationPolicy[] | null {
  if (one.layer === 'ambient') return null;
  const policies = policiesOf(one);
  return policies.some(({ spec }) => spec.action === 'CUSTOM') ? null : policies;
}
