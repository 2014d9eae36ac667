import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';
import { modeForCallers, modeForWorkload, type MtlsMode } from './peer-mode.ts';
import { PolicyIndex } from './policy-index.ts';

const workload = { namespace: 'shop', service: 'a', labels: { app: 'a' } };

/** Written in the order of their age: `namespace/name` and the spec. */
function modesOf(written: Readonly<Record<string, string>>, servicePort = 80, appPort = 8080) {
  const objects = Object.entries(written).map(([place, spec], createdRevision) => {
    const [namespace, name] = place.split('/');
    const text = `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;
    const parsed = parseManifests([{ name: 'f.yaml', text }], { namespace: 'shop' });
    return { object: parsed.objects[0]!.object, createdRevision };
  });
  const index = new PolicyIndex('root');
  index.apply({ objects });
  const { mtls } = index.policiesFor(workload);
  return `${modeForWorkload(mtls, servicePort, appPort)} ${modeForCallers(mtls, servicePort)}`;
}

const mtls = (mode: MtlsMode | 'UNSET'): string => `{mtls: {mode: ${mode}}}`;
const ofA = (rest: string): string => `{selector: {matchLabels: {app: a}}, ${rest}}`;

const cases: readonly [what: string, written: Readonly<Record<string, string>>, expected: string][] = [
  ['nothing said is STRICT', {}, 'STRICT STRICT'],
  ['the mesh', { 'root/m': mtls('PERMISSIVE') }, 'PERMISSIVE PERMISSIVE'],
  ['the namespace before the mesh', { 'root/m': mtls('DISABLE'), 'shop/n': mtls('STRICT') }, 'STRICT STRICT'],
  [
    'the workload before both',
    { 'root/m': mtls('STRICT'), 'shop/n': mtls('STRICT'), 'shop/w': ofA('mtls: {mode: DISABLE}') },
    'DISABLE DISABLE',
  ],
  [
    'what is unset is inherited',
    { 'root/m': mtls('PERMISSIVE'), 'shop/n': mtls('UNSET'), 'shop/w': ofA('mtls: {}') },
    'PERMISSIVE PERMISSIVE',
  ],
  ['the older of two', { 'shop/b': mtls('PERMISSIVE'), 'shop/a': mtls('DISABLE') }, 'PERMISSIVE PERMISSIVE'],
  [
    'selectors of the root namespace say nothing',
    { 'root/m': ofA('mtls: {mode: DISABLE}') },
    'STRICT STRICT',
  ],
  ['other namespaces say nothing', { 'other/n': mtls('DISABLE') }, 'STRICT STRICT'],
  [
    'a port before the rest',
    { 'shop/w': ofA('mtls: {mode: STRICT}, portLevelMtls: {"80": {mode: DISABLE}}') },
    'DISABLE DISABLE',
  ],
  [
    'a port that is unset',
    { 'shop/w': ofA('mtls: {mode: PERMISSIVE}, portLevelMtls: {"80": {mode: UNSET}}') },
    'PERMISSIVE PERMISSIVE',
  ],
  [
    "the application's port where the service's is not named",
    { 'shop/w': ofA('mtls: {mode: PERMISSIVE}, portLevelMtls: {"8080": {mode: STRICT}}') },
    'STRICT PERMISSIVE',
  ],
  [
    "callers do not know the application's port",
    { 'shop/w': ofA('mtls: {mode: STRICT}, portLevelMtls: {"8080": {mode: DISABLE}}') },
    'PERMISSIVE STRICT',
  ],
  [
    'the stricter name of one port',
    { 'shop/w': ofA('portLevelMtls: {"80": {mode: PERMISSIVE}, "8080": {mode: STRICT}}') },
    'STRICT PERMISSIVE',
  ],
];

for (const [what, written, expected] of cases)
  test(`mTLS: ${what}`, () => assert.equal(modesOf(written), expected));
