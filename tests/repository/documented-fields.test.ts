// What docs/ says of Envoy's fields, tried one by one: a field that a page calls supported has to be taken, one that it calls
// refused has to be refused at its place, and every field that we read has to stand on its page.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock, systemRandom } from '@heddle/base';
import { validateBootstrap } from '@heddle/proxy/validate';
import { acceptedWithoutEffect } from '@heddle/xds/accepted-fields';
import { type Json, bootstrapWith, samples } from './support/field-samples.ts';
import { readRepositoryFile } from './support/source-files.ts';

/** One field as its page has it. */
interface Documented {
  readonly name: string;
  readonly isRefused: boolean;
}

const inBackticks = /`([^`]+)`/g;

/** The cells of the first table below a heading. */
function rows(page: string, heading: string): string[][] {
  const section = readRepositoryFile(`docs/${page}`).split(`# ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|-]*$/.test(line))
    .slice(1)
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(inBackticks)].map((match) => match[1]!);
}

function withoutAsides(cell: string): string {
  return cell.replaceAll(/\([^)]*\)/g, '');
}

/** Tables with the verdict in the first cell and fields in the second. */
function byVerdict(page: string, heading: string): Documented[] {
  return rows(page, heading).flatMap(([, verdict = '', fields = '']) =>
    namesIn(withoutAsides(fields)).map((name) => ({ name, isRefused: verdict === 'Refused' })),
  );
}

/** Tables with fields in the first cell and what becomes of them in the second. */
function byField(page: string, heading: string): Documented[] {
  return rows(page, heading).flatMap(([, fields = '', verdict = '']) =>
    namesIn(fields).map((name) => ({ name, isRefused: /\brefused(?: in files)?$/.test(verdict) })),
  );
}

/** What is wrong with the plain file that a sample changes. */
function problemsOf(change: Json): string[] {
  const value = bootstrapWith(change);
  const source = { file: 'envoy.yaml', value, locate: () => null };
  return validateBootstrap(source, systemClock, systemRandom).map(
    ({ path, message }) => `${path ?? ''}: ${message}`,
  );
}

const tables: readonly (readonly [string, keyof typeof samples, readonly Documented[]])[] = [
  ['bootstrap.md', 'listener', byVerdict('bootstrap.md', 'Listener')],
  ['bootstrap.md', 'cluster', byVerdict('bootstrap.md', 'Cluster')],
  [
    'http-connection-manager.md',
    'manager',
    byField('http-connection-manager.md', 'The HTTP connection manager'),
  ],
];
for (const [page, kind, documented] of tables) {
  describe(`fields of a ${kind} in docs/${page}`, () => {
    test('are tried, each of them', () => {
      assert.ok(documented.length > 10, `${documented.length} fields`);
      const missing = documented.filter(({ name }) => !Object.hasOwn(samples[kind], name));
      assert.deepEqual(missing, [], 'fields without a sample');
    });
    for (const { name, isRefused } of documented) {
      const sample: Json | undefined = samples[kind][name];
      if (sample === undefined) continue;
      test(`${name} is ${isRefused ? 'refused' : 'taken'}`, () => {
        const problems = problemsOf(sample);
        if (!isRefused) {
          assert.deepEqual(problems, []);
          return;
        }
        const last = name.replace(/: .*/, '').split('.').at(-1)!;
        assert.ok(
          problems.some((problem) => problem.includes(last) || problem.includes('by xDS')),
          problems.join('\n') || 'nothing is wrong with it',
        );
      });
    }
  });
}

/** A message's fields, those of the messages inside it left out. */
function protoFields(file: string, message: string): string[] {
  const text = readRepositoryFile(`packages/xds/proto/envoy/${file}.proto`);
  const start = text.indexOf(`message ${message} {`);
  assert.ok(start >= 0, `${file} has ${message}`);
  const fields: string[] = [];
  const blocks: string[] = [];
  for (const line of text.slice(start).split('\n')) {
    const block = /^\s*(message|enum|oneof) \w+ \{(\})?/.exec(line);
    if (block !== null) {
      if (block[2] === undefined) blocks.push(block[1]!);
    } else if (/^\s*\}/.test(line)) {
      blocks.pop();
      if (blocks.length === 0) break;
    } else if (blocks.every((kind, depth) => depth === 0 || kind === 'oneof')) {
      const field = /(\w+) = \d+/.exec(line);
      if (field !== null) fields.push(field[1]!);
    }
  }
  return fields;
}

const route = 'config/route/v3/route_components';
const manager = 'extensions/filters/network/http_connection_manager/v3/http_connection_manager';
const messages: readonly (readonly [string, string, string])[] = [
  ['bootstrap.md', 'config/listener/v3/listener', 'Listener'],
  ['bootstrap.md', 'config/cluster/v3/cluster', 'Cluster'],
  ['http-connection-manager.md', manager, 'HttpConnectionManager'],
  ['routes.md', 'config/route/v3/route', 'RouteConfiguration'],
  ...['VirtualHost', 'Route', 'RouteMatch', 'RouteAction', 'WeightedCluster', 'RetryPolicy'].map(
    (message) => ['routes.md', route, message] as const,
  ),
  ...['RedirectAction', 'DirectResponseAction'].map((message) => ['routes.md', route, message] as const),
];
/** Every name on a page that stands in backticks, paths taken apart. */
function namedOn(page: string): ReadonlySet<string> {
  return new Set(namesIn(readRepositoryFile(`docs/${page}`)).flatMap((name) => name.split(/[^a-z0-9_]+/)));
}

for (const [page, file, message] of messages) {
  test(`docs/${page} says what becomes of every field of ${message} that is read`, () => {
    const named = namedOn(page);
    const fields = protoFields(file, message);
    assert.ok(fields.length > 1, `${fields.length} fields`);
    assert.deepEqual(
      fields.filter((field) => !named.has(field)),
      [],
    );
  });
}

const pagesOfAccepted: readonly (readonly [RegExp, string])[] = [
  [/\.(?:bootstrap|listener)\.|\.Cluster$|\.Node$/, 'bootstrap.md'],
  [/\.route\./, 'routes.md'],
  [/\.endpoint\./, 'clusters.md'],
  [/\.http_connection_manager\.|\.router\./, 'http-connection-manager.md'],
];
for (const [message, fields] of Object.entries(acceptedWithoutEffect())) {
  const page = pagesOfAccepted.find(([pattern]) => pattern.test(message))?.[1];
  test(`fields of ${message} that have no effect stand on a page`, () => {
    assert.ok(page !== undefined, 'it needs a page');
    const named = namedOn(page);
    assert.deepEqual(
      fields.filter((field) => !named.has(field)),
      [],
    );
  });
}
