import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBootstrap } from './parse-bootstrap.ts';

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
