import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseBootstrap, readBootstrapText } from './parse-bootstrap.ts';

const text = `admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 9901 } }
static_resources:
  listeners:
    - name: a
    - name: b
`;

test('knows where each value stands, whatever its style', () => {
  const parsed = parseBootstrap('envoy.yaml', text);
  assert.ok(parsed.ok);
  const { value } = parsed.value;
  const locate = (keys: readonly (string | number)[]) => parsed.value.locate(keys);
  assert.deepEqual(locate(['static_resources', 'listeners', 1, 'name']), { line: 6, column: 13 });
  assert.deepEqual(locate(['admin', 'address', 'socket_address', 'port_value']), { line: 2, column: 64 });
  assert.deepEqual(locate(['static_resources', 'listeners']), { line: 4, column: 3 }, 'below its key');
  assert.equal(locate(['admin', 'nothing']), null);
  assert.deepEqual((value as { static_resources: unknown }).static_resources, {
    listeners: [{ name: 'a' }, { name: 'b' }],
  });
});

test('reads JSON', () => {
  const parsed = parseBootstrap('envoy.json', '{"admin": {"a": [1, 2]}}');
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.value.locate(['admin', 'a', 1]), { line: 1, column: 21 });
});

test('reports what is no YAML with its place', () => {
  const parsed = parseBootstrap('envoy.yaml', 'a: 1\na: 2\nb: [1\n');
  assert.ok(!parsed.ok);
  assert.deepEqual(
    parsed.error.map(({ line, column, message }) => [line, column, message]),
    [
      [2, 1, 'Map keys must be unique'],
      [4, 1, 'Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
  );
});

test('aliases that multiply themselves are refused as too large', () => {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`,
  );
  const parsed = parseBootstrap('envoy.yaml', ['a-1: &a-1 x', ...levels].join('\n'));
  assert.ok(!parsed.ok);
  assert.deepEqual(
    parsed.error.map(({ code, message }) => [code, message]),
    [['HEDDLE_YAML_LIMIT', 'aliases make the file too large']],
  );
});

test('a directory and a file that is no text are refused by name', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-bootstrap-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await assert.rejects(readBootstrapText(directory), {
    code: 'HEDDLE_FILE_UNREADABLE',
    message: `can't read '${directory}': it is a directory`,
  });
  const file = join(directory, 'binary');
  await writeFile(file, Buffer.from([0xff, 0xfe, 0]));
  await assert.rejects(readBootstrapText(file), { code: 'HEDDLE_FILE_NOT_TEXT' });
});

test('says in words of its own what the library says in its own', () => {
  const messages = (of: string): string[] => {
    const parsed = parseBootstrap('envoy.yaml', of);
    return parsed.ok ? [] : parsed.error.map(({ message }) => message);
  };
  assert.deepEqual(messages('a: 1\n---\nb: 2\n'), [
    'the file holds several documents; a configuration is one',
  ]);
  for (const deep of ['['.repeat(20_000), '['.repeat(20_000) + ']'.repeat(20_000)])
    assert.deepEqual(messages(deep), ['values are nested too deeply']);
});
