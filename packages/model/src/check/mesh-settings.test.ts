import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMeshSettings } from './mesh-settings.ts';

test('reads the settings, also of an empty text', () => {
  for (const text of ['', '\n', '# nothing\n', '---\n', '{}'])
    assert.deepEqual(readMeshSettings(text), { ok: true, value: {} }, text);
  assert.deepEqual(readMeshSettings('---\na: 1\n'), { ok: true, value: { a: 1 } });
});

test('says in a sentence of its own why a text cannot be read', () => {
  for (const [text, reason] of [
    ['a: 1\n---\nb: 2\n', /holds 2 documents, the second in line 3 of it; it must be one$/],
    ['['.repeat(20_000), /nested deeper than 64 levels \(in line 1 of it\)$/],
    [`${'['.repeat(100)}${']'.repeat(100)}`, /nested deeper than 64 levels/],
    ['a: 1\na: 2\n', /'a' stands twice in one mapping \(in line 2 of it\)$/],
    ['a: [1\n', /not valid YAML: /],
    ['a: *b\n', /no anchor '&b'/],
  ] as const) {
    const read = readMeshSettings(text);
    assert.match(read.ok ? 'read' : read.error, reason);
    assert.doesNotMatch(read.ok ? '' : read.error, /Maximum call stack|parseAllDocuments/);
  }
});
