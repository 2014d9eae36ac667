// Whatever is wrong is said in one clear sentence, with a non-zero exit code, and changes nothing.
import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type Child, eventually, startSilentServer } from '@heddle/testkit';
import type { ObjectWithStatus } from '@heddle/control-plane';
import { Mesh } from './support/mesh.ts';
import { assertNoTrace, assertRefused } from './support/refusal.ts';
import { Sandbox, bookstore, stablePort } from './support/sandbox.ts';

const good = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: good
spec:
  hosts: [ratings]
  http:
  - route:
    - destination: { host: ratings }
`;

/** A shell ends with these codes where the program is not found, can't be executed; Heddle's own failure is 125. */
const exit = { failed: 1, runFailed: 125, notExecutable: 126, notFound: 127 };

async function storedNames(mesh: Mesh): Promise<string> {
  const child = await mesh.heddle(['get', 'virtualservices', '-A', '-o', 'json']);
  assert.equal(child.exit?.code, 0, child.output);
  const { items } = JSON.parse(child.stdout) as { items: readonly ObjectWithStatus[] };
  return items.map(({ metadata }) => metadata.name).join(' ');
}

test('an unknown field or kind is refused with its place and the nearest name, and nothing is stored', async () => {
  await using mesh = await Mesh.start();
  const badField = `${good}---\n${good.replace('good', 'bad').replace('- route:', '- rout:')}`;
  const badKind = `${good}---\n${good.replace('good', 'bad').replace('kind: VirtualService', 'kind: VirtualServise')}`;
  const cases = [
    { text: badField, place: '18:5', path: 'spec.http[0].rout', name: 'rout', nearest: 'route' },
    { text: badKind, place: '12:7', path: 'kind', name: 'VirtualServise', nearest: 'VirtualService' },
  ];
  for (const { text, place, path, name, nearest } of cases) {
    await mesh.write('rules.yaml', text);
    const child = await mesh.heddle(['apply', '-f', 'rules.yaml']);
    assert.equal(child.exit?.code, exit.failed, child.output);
    assertNoTrace(child);
    assert.ok(child.stderr.startsWith(`rules.yaml:${place}: error: unknown `), child.stderr);
    for (const part of [`'${name}'`, `at ${path} (`, `did you mean '${nearest}'?`]) {
      assert.ok(child.stderr.includes(part), `${part} is in ${child.stderr}`);
    }
    assert.match(child.stderr, /^error: 1 error, nothing was stored /m);
    assert.equal(await storedNames(mesh), '', 'not even the object that was right');
  }

  await mesh.write('rules.yaml', `${badField}---\n${badKind}`);
  const both = await mesh.heddle(['apply', '-f', 'rules.yaml']);
  assert.match(
    both.stderr,
    /rules\.yaml:18:5: error: [^]*rules\.yaml:32:7: error: /,
    'all that is wrong is said',
  );
  await mesh.write('rules.yaml', 'kind: VirtualService\n  name: [');
  const syntax = await mesh.heddle(['apply', '-f', 'rules.yaml']);
  assert.equal(syntax.exit?.code, exit.failed);
  assertNoTrace(syntax);
  assert.match(syntax.stderr, /^rules\.yaml:\d+:\d+: error: /);
});

test('a reference to what does not exist is stored with IST0101 on its status; --strict refuses it', async () => {
  await using mesh = await Mesh.start();
  const file = await mesh.write(
    'reviews.yaml',
    good
      .replaceAll('ratings', 'reviews')
      .replace('{ host: reviews }', '{ host: reviews, subset: v9 }')
      .replace('name: good', 'name: reviews'),
  );
  const strict = await mesh.heddle(['apply', '--strict', '-f', file]);
  assert.equal(strict.exit?.code, exit.failed, strict.output);
  assert.match(strict.stderr, /reviews\.yaml:9:28: error: .*host 'reviews'.*does not exist/);
  assert.match(strict.stderr, /\(IST0101\)/);
  assert.match(strict.stderr, /nothing was stored/);
  assert.equal(await storedNames(mesh), '');

  const child = await mesh.heddle(['apply', '-f', file]);
  assert.equal(child.exit?.code, 0, child.output);
  assert.equal(child.stdout, 'virtualservice.networking.istio.io/reviews created\n');
  assert.match(child.stderr, /reviews\.yaml:9:28: warning: .*host 'reviews'.*does not exist/);
  assert.match(child.stderr, /reviews\.yaml:9:45: warning: .*no subset 'v9'/);
  const warnings = async (): Promise<readonly string[]> => {
    const got = await mesh.heddle(['get', 'virtualservice', 'reviews', '-o', 'json']);
    const { status } = JSON.parse(got.stdout) as ObjectWithStatus;
    return status.warnings.map(({ code, path }) => `${code} ${path}`);
  };
  const subset = 'IST0101 spec.http[0].route[0].destination.subset';
  assert.deepEqual(await warnings(), ['IST0101 spec.http[0].route[0].destination.host', subset]);
  const table = await mesh.heddle(['get', 'virtualservices']);
  assert.match(table.stdout, /^reviews .* 2 warnings /m);

  // The status follows the mesh: once there is such a host, only the subset is missing.
  await mesh.publish('reviews', [process.execPath, bookstore('reviews.js')]);
  await eventually('the warnings about the host are gone', async () => (await warnings()).join() === subset);
});

test('a port in use is named, with the flag or the part that wants it', async () => {
  await using mesh = await Mesh.start();
  await using other = await startSilentServer();
  const taken = String(other.port);
  const free = async (): Promise<string> => String(await stablePort());
  for (const [flag, what] of [
    ['--api-port', 'The API'],
    ['--xds-port', 'The xDS server'],
    ['--join-port', "The join listener's address"],
  ] as const) {
    const ports = new Map([
      ['--api-port', await free()],
      ['--xds-port', await free()],
      ['--join-port', await free()],
      [flag, taken],
    ]);
    const up = await mesh.heddle(['up', '--store', 'other', ...[...ports].flat()]);
    assertRefused(
      up,
      exit.failed,
      new RegExp(`^error: ${what} .*127\\.0\\.0\\.1:${taken}.*\\(HEDDLE_PORT_IN_USE\\)$`),
    );
  }
  const second = await mesh.heddle(['up', '--api-port', '0', '--xds-port', '0', '--join-port', '0']);
  assertRefused(
    second,
    exit.failed,
    /Another control plane \(process \d+\) uses the store .*HEDDLE_STORE_LOCKED/,
  );
  const inUse = (flag: string): RegExp =>
    new RegExp(`^error: ${flag}: port ${taken} on 127\\.0\\.0\\.1 is in use`);
  for (const flag of ['--expose', '--inbound-port', '--app-port']) {
    const run = await mesh.heddle(['run', '--service', 'a', '--port', '80', flag, taken, '--', 'true']);
    assertRefused(run, exit.runFailed, inUse(flag));
  }
  await using elsewhere = await Sandbox.create();
  assertRefused(await elsewhere.heddle(['demo', '--port', taken]), exit.failed, inUse('--port'));
});

test('a missing command ends `heddle run` with 127, one that is no program with 126', async () => {
  await using mesh = await Mesh.start();
  await mesh.write('data.txt', 'no program');
  const run = (command: string): Promise<Child> =>
    mesh.heddle(['run', '--service', 'a', '--port', '80', '--', command]);
  assertRefused(await run('no-such-program'), exit.notFound, /there is no program 'no-such-program'/);
  assertRefused(await run('./no-such-program'), exit.notFound, /there is no program '\.\/no-such-program'/);
  assertRefused(await run('./data.txt'), exit.notExecutable, /'\.\/data\.txt' can ?not be executed/);
  assert.deepEqual(await mesh.endpoints(), []);
});

test('without a control plane every command says so', async () => {
  await using mesh = await Mesh.start();
  await mesh.write('good.yaml', good);
  const commands = [
    ['get', 'services'],
    ['get', 'virtualservices', '-o', 'json'],
    ['apply', '-f', 'good.yaml'],
    ['delete', '-f', 'good.yaml'],
    ['token', 'create'],
    ['run', '--service', 'a', '--port', '80', '--', 'true'],
  ];
  const codeOf = ([command]: readonly string[]): number => (command === 'run' ? exit.runFailed : exit.failed);
  const never = /^error: no control plane has been started here: there is no .*\.heddle \(/;
  await using empty = await Sandbox.create();
  await empty.write('good.yaml', good);
  for (const words of commands) assertRefused(await empty.heddle(words), codeOf(words), never);

  await mesh.killControlPlane();
  const dead =
    /^error: .*control plane .*(?:does not answer|cannot be reached).*HEDDLE_CONTROL_PLANE_UNREACHABLE/;
  for (const words of commands) assertRefused(await mesh.heddle(words), codeOf(words), dead);

  await mesh.startControlPlane();
  await mesh.controlPlane.stop();
  const stopped = /^error: the control plane of .*\.heddle is not running \(/;
  for (const words of commands) assertRefused(await mesh.heddle(words), codeOf(words), stopped);
});

test('a wrong or used-up token is refused, and not sent to somebody who is not the control plane', async () => {
  await using mesh = await Mesh.start();
  const [, token] = await mesh.controlPlane.line(/^ +export HEDDLE_TOKEN=(hdl1\.\S+)$/);
  const parts = token!.split('.');
  const withPart = (index: number, text: string): string => parts.with(index, text).join('.');
  const join = async (HEDDLE_TOKEN: string, address = mesh.joinAddress): Promise<Child> =>
    await mesh.heddle(['run', '--join', address, '--service', 'a', '--port', '80', '--', 'true'], {
      environment: { HEDDLE_TOKEN },
      directory: elsewhere.directory,
    });
  await using elsewhere = await Sandbox.create();
  assertRefused(
    await join('nonsense'),
    exit.runFailed,
    /join token is not usable.*HEDDLE_JOIN_TOKEN_INVALID/,
  );
  const unknown = /does not know this join token.*HEDDLE_JOIN_TOKEN_INVALID/;
  assertRefused(await join(withPart(2, parts[2]!.replace(/^..../, 'AAAA'))), exit.runFailed, unknown);
  const other = withPart(3, 'A'.repeat(parts[3]!.length));
  assertRefused(await join(other), exit.runFailed, /another root certificate .*HEDDLE_JOIN_ROOT_MISMATCH/);
  const nobody = `127.0.0.1:${await stablePort()}`;
  assertRefused(
    await join(token!, nobody),
    exit.runFailed,
    /cannot be reached.*HEDDLE_CONTROL_PLANE_UNREACHABLE/,
  );

  const admitted = await join(token!);
  assert.equal(admitted.exit?.code, 0, admitted.output);
  assertRefused(await join(token!), exit.runFailed, /join token has been used up.*HEDDLE_JOIN_TOKEN_USED/);

  const api = await mesh.heddle(['get', 'services', '--server', mesh.apiUrl], {
    environment: { HEDDLE_TOKEN: token! },
  });
  assertRefused(api, exit.failed, /token is not valid .*HEDDLE_API_WRONG_TOKEN/);
  for (const secret of [parts[2]!, 'AAAA']) {
    assert.ok(!api.output.includes(secret) && !admitted.output.includes(secret), 'a token is never printed');
  }
});

test('a corrupt store is named and left as it is', async () => {
  await using mesh = await Mesh.start();
  await mesh.apply(good);
  await mesh.controlPlane.stop();
  for (const [file, sentence] of [
    ['heddle.db', /store .*heddle\.db is damaged.*HEDDLE_STORE_CORRUPT/],
    ['instances.db', /store .*instances\.db is damaged.*HEDDLE_STORE_CORRUPT/],
    ['ca/root.key', /root\.key.*HEDDLE_CA_CORRUPT/],
    ['ca/root.pem', /root\.pem.*HEDDLE_CA_CORRUPT/],
  ] as const) {
    await cp(mesh.path('.heddle'), mesh.path('broken'), { recursive: true });
    await writeFile(mesh.path('broken', file), 'garbage '.repeat(1_000));
    const up = await mesh.heddle(['up', '--store', 'broken', ...mesh.upFlags]);
    assertRefused(up, exit.failed, sentence);
    await rm(mesh.path('broken'), { recursive: true });
  }
  // The same store undamaged is a mesh that goes on.
  await mesh.startControlPlane();
  assert.equal(await storedNames(mesh), 'good');
});
