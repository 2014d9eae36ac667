// `heddle get`, `apply` and `delete` on a mesh with two namespaces.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import type { EndpointSummary, ObjectWithStatus, ProxySummary, ServiceSummary } from '@heddle/control-plane';
import { Mesh } from './support/mesh.ts';
import { assertRefused } from './support/refusal.ts';
import { bookstore } from './support/sandbox.ts';

const rule = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings }
spec:
  hosts: [ratings]
  http: [{ route: [{ destination: { host: ratings, subset: v1 } }] }]
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: { name: ratings }
spec:
  host: ratings
  subsets: [{ name: v1, labels: { version: v1 } }]
`;

async function output(mesh: Mesh, ...words: readonly string[]): Promise<string> {
  const child = await mesh.heddle(words);
  assert.equal(child.exit?.code, 0, `heddle ${words.join(' ')}:\n${child.output}`);
  return child.stdout;
}

async function json<T>(mesh: Mesh, ...words: readonly string[]): Promise<readonly T[]> {
  const text = await output(mesh, 'get', ...words, '-o', 'json');
  return (JSON.parse(text) as { items: readonly T[] }).items;
}

/** A mesh with `ratings` in two namespaces. */
async function startTwoNamespaces(): Promise<Mesh> {
  const mesh = await Mesh.start();
  const command = [process.execPath, bookstore('ratings.js')];
  await Promise.all([
    mesh.publish('ratings', command, { version: 'v1' }),
    mesh.publish('ratings', command, { version: 'v2', flags: ['-n', 'prod', '--service-account', 'stars'] }),
  ]);
  await mesh.synced(2);
  return mesh;
}

describe('a mesh with two namespaces', () => {
  let mesh: Mesh;
  before(async () => {
    mesh = await startTwoNamespaces();
  });
  after(async () => {
    await mesh[Symbol.asyncDispose]();
  });

  test('services, endpoints and proxies are shown by namespace, as a table, YAML and JSON', async () => {
    assert.match(await output(mesh, 'get', 'services'), /^NAME +PORTS +INSTANCES .*\nratings +9080 +1 +v1 /);
    assert.match(await output(mesh, 'get', 'svc', '-n', 'prod'), /\nratings +9080 +1 +v2 /);
    assert.match(
      await output(mesh, 'get', 'services', '-A'),
      /^NAMESPACE +NAME .*\ndefault +ratings .*\nprod +ratings /,
    );

    const [service, ...others] = await json<ServiceSummary>(mesh, 'services', '-n', 'prod');
    assert.deepEqual(others, []);
    assert.equal(service!.host, 'ratings.prod.svc.cluster.local');
    assert.deepEqual(
      parse(await output(mesh, 'get', 'services', '-n', 'prod', '-o', 'yaml')).items[0].ports,
      [{ number: 9080, protocol: 'http' }],
    );

    const endpoints = await json<EndpointSummary>(mesh, 'endpoints', '-n', 'prod');
    assert.equal(endpoints.length, 1);
    assert.equal(endpoints[0]!.identity, 'spiffe://cluster.local/ns/prod/sa/stars');
    assert.equal(endpoints[0]!.state, 'ready');
    const instance = endpoints[0]!.instance;
    assert.match(
      await output(mesh, 'get', 'ep', '-n', 'prod'),
      new RegExp(`^${instance} +ratings:9080 +v2 `, 'm'),
    );
    assert.match(
      await output(mesh, 'get', 'endpoints', '-o', 'wide'),
      /spiffe:\/\/cluster\.local\/ns\/default\/sa\/ratings/,
    );

    assert.match(
      await output(mesh, 'get', 'proxies', '-n', 'prod'),
      new RegExp(`\\n${instance}( +synced){4} `),
      'CDS, EDS, LDS and RDS',
    );
    const proxies = await json<ProxySummary>(mesh, 'px', '-A');
    assert.deepEqual(proxies.map(({ namespace }) => namespace).toSorted(), ['default', 'prod']);
  });

  test('what was applied is shown with its status, and deleted by file or by name', async () => {
    await mesh.write('rule.yaml', rule);
    assert.equal(
      await output(mesh, 'apply', '-f', 'rule.yaml'),
      'virtualservice.networking.istio.io/ratings created\ndestinationrule.networking.istio.io/ratings created\n',
    );
    assert.match(
      await output(mesh, 'apply', '-f', 'rule.yaml'),
      /^virtualservice\S+ unchanged\n.* unchanged\n$/,
    );
    await output(mesh, 'apply', '-n', 'prod', '-f', 'rule.yaml');

    const yaml = await output(mesh, 'get', 'virtualservices', '-n', 'default', '-o', 'yaml');
    const [object, ...others] = (parse(yaml) as { items: ObjectWithStatus[] }).items;
    assert.deepEqual(others, [], 'those of the other namespace are not shown');
    assert.equal(object!.metadata.namespace, 'default');
    assert.deepEqual(object!.spec, (parse(rule.split('---')[0]!) as ObjectWithStatus).spec);
    assert.deepEqual(object!.status.warnings, []);
    const names = (await json<ObjectWithStatus>(mesh, 'vs', '-A')).map(({ metadata }) => metadata.namespace);
    assert.deepEqual(names.toSorted(), ['default', 'prod']);
    assert.match(await output(mesh, 'get', 'dr'), /^ratings +ratings .* ok /m);
    // In its namespace `ratings` is ratings.prod, which has no version v1; the rule is what was asked for all the same.
    assert.match(await output(mesh, 'get', 'vs', 'ratings', '-n', 'prod', '-o', 'yaml'), /namespace: prod/);

    assert.match(
      await output(mesh, 'delete', '-f', 'rule.yaml'),
      /^virtualservice\S+ deleted\ndestinationrule\S+ deleted\n$/,
    );
    assert.deepEqual(await json(mesh, 'virtualservices'), []);
    assert.equal(
      (await json(mesh, 'virtualservices', '-n', 'prod')).length,
      1,
      'the other namespace keeps its own',
    );
    const again = await mesh.heddle(['delete', '-f', 'rule.yaml']);
    assert.equal(again.exit?.code, 1, again.output);
    assert.match(
      again.stderr,
      /^error: virtualservice\S+ not found .*\nerror: destinationrule\S+ not found /,
    );
    const named = await mesh.heddle(['delete', 'vs', 'ratings']);
    assert.equal(named.exit?.code, 1, named.output);
    assert.equal(await output(mesh, 'delete', '--ignore-not-found', '-f', 'rule.yaml'), '');
    assert.equal(await output(mesh, 'delete', '--ignore-not-found', 'vs', 'ratings'), '');
    assert.match(await output(mesh, 'delete', 'vs', 'ratings', '-n', 'prod'), /deleted/);
    assert.deepEqual(await json(mesh, 'vs', '-A'), []);
    const none = await mesh.heddle(['get', 'dr', '-n', 'nowhere']);
    assert.match(none.stderr, /^No destinationrules in namespace nowhere, but in others/);
    await output(mesh, 'delete', 'dr', 'ratings', '-n', 'prod');
    assert.equal((await mesh.heddle(['get', 'dr', '-A'])).stderr, 'No destinationrules in any namespace.\n');

    const preview = await mesh.heddle(['diff', '-f', 'rule.yaml']);
    assert.equal(preview.exit?.code, 1, preview.output);
    assert.match(
      preview.stdout,
      /\n\+ destinationrule\S+ created +rule\.yaml:8\n {2}for 2 of 2 connected \(.*\n {4}\+ cluster outbound\|9080\|v1\|/,
    );
    assert.deepEqual(await json(mesh, 'vs', '-A'), [], 'nothing was stored');
    assertRefused(await mesh.heddle(['diff', '-f', 'nothing.yaml']), 2, /HEDDLE_FILE_NOT_FOUND/);

    // Everything above stands in the history, and can be had back.
    const history = await output(mesh, 'history', '--limit', '3');
    assert.match(
      history,
      /^REVISION +AGE +WHO +CHANGES\n +5 .* admin +DestinationRule prod\/ratings deleted\n +4 .*\n +3 /,
    );
    assert.match(
      await output(mesh, 'history', 'vs', 'ratings'),
      /\n +3 .* VirtualService default\/ratings deleted.*\n +1 /,
    );
    assert.equal(
      await output(mesh, 'rollback', '--to-revision', '1', '--dry-run'),
      'virtualservice.networking.istio.io/ratings created (dry run)\ndestinationrule.networking.istio.io/ratings created (dry run)\n',
    );
    const undone = await mesh.heddle(['rollback', 'vs/ratings']);
    assert.equal(undone.stdout, 'virtualservice.networking.istio.io/ratings created\n');
    assert.match(undone.stderr, /As at revision 2; this is revision 6\./);
    const shown = await output(mesh, 'history', '--revision', '6');
    assert.match(shown, /^revision 6, \S+Z, admin\n\nvirtualservice\S+ created\n  \+ apiVersion: /);
    assertRefused(await mesh.heddle(['rollback', '--to-revision', '9']), 1, /HEDDLE_NO_SUCH_REVISION/);
    await output(mesh, 'rollback');
    assert.deepEqual(await json(mesh, 'vs', '-A'), []);

    assert.equal(await output(mesh, 'analyze'), '0 objects: 0 errors, 0 warnings, 0 for information\n');
    await mesh.write(
      'lost.yaml',
      rule.replace('host: ratings, subset: v1', 'host: lost, port: { number: 1 }'),
    );
    await output(mesh, 'apply', '-f', 'lost.yaml');
    const analyzed = await mesh.heddle(['analyze']);
    assert.equal(analyzed.exit?.code, 1, analyzed.output);
    assert.match(analyzed.stdout, /^VirtualService default\/ratings: ERROR IST0101\n {2}the host 'lost' /m);
    await output(mesh, 'delete', '-f', 'lost.yaml');

    await mesh.write('empty.yaml', '# nothing\n---\n');
    for (const command of ['apply', 'delete']) {
      const empty = await mesh.heddle([command, '-f', 'empty.yaml']);
      assertRefused(empty, 1, new RegExp(`^error: nothing to ${command} in 'empty\\.yaml' `));
    }
    const missing = await mesh.heddle(['get', 'vs', 'ratings']);
    assert.equal(missing.exit?.code, 1);
    assert.match(missing.stderr, /^error: .*ratings/);
  });
});
