import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import * as fc from 'fast-check';
import { maxDepth, maxFileLength } from './limits.ts';
import { readDocuments } from './read-documents.ts';

function read(text: string): { values: unknown[]; problems: string[] } {
  const { documents, problems } = readDocuments({ name: 'f.yaml', text });
  return { values: documents.map(({ value }) => value), problems: problems.map(formatProblem) };
}

test('reads several documents and skips empty ones', () => {
  const { values, problems } = read('---\na: 1\n---\n---\n# nothing\n---\n{"b": [true, null, "x"]}\n...\n');
  assert.deepEqual(values, [{ a: 1 }, { b: [true, null, 'x'] }]);
  assert.deepEqual(problems, []);
});

test('reads JSON that is indented with tabs', () => {
  assert.deepEqual(read('{\n\t"a": [1,\n\t\t2]\n}').values, [{ a: [1, 2] }]);
});

test('reads every document as YAML 1.2, whatever its directive says', () => {
  assert.deepEqual(read('%YAML 1.1\n---\na: yes\nb: 2001-01-01\n').values, [{ a: 'yes', b: '2001-01-01' }]);
});

test('keeps the place of every value and key', () => {
  const { documents } = readDocuments({ name: 'f.yaml', text: 'a: 1\nb:\n  - x\n  - c: 2\n' });
  const { source } = documents[0]!;
  assert.deepEqual(source.locate('b[1].c'), { file: 'f.yaml', line: 4, column: 8 });
  assert.deepEqual(source.locate('b[1].c', 'key'), { file: 'f.yaml', line: 4, column: 5 });
  assert.deepEqual(
    source.locate('b[1].missing'),
    { file: 'f.yaml', line: 4, column: 5 },
    'the mapping it is missing in',
  );
  assert.deepEqual(source.child('b')!.locate([0]), { file: 'f.yaml', line: 3, column: 5 });
});

const refused: readonly [what: string, text: string, problem: string][] = [
  [
    'a repeated key',
    'a: 1\nb: 2\na: 3\n',
    "f.yaml:3:1: error HEDDLE_YAML: the key 'a' stands twice in one mapping",
  ],
  [
    'a repeated key in JSON',
    '{"a": 1, "a": 2}',
    "f.yaml:1:10: error HEDDLE_YAML: the key 'a' stands twice in one mapping",
  ],
  [
    'a tab as indentation',
    'a:\n\tb: 1\n',
    'f.yaml:2:1: error HEDDLE_YAML: a tab is used as indentation (indent with spaces)',
  ],
  [
    'an alias without anchor',
    'a: *b\n',
    "f.yaml:1:4: error HEDDLE_YAML: no anchor '&b' stands before this alias",
  ],
  ['an anchor in itself', 'a: &a [*a]\n', "f.yaml:1:8: error HEDDLE_YAML: '*a' contains itself"],
  ['a tag', 'a: !Ref b\n', 'f.yaml:1:4: error HEDDLE_YAML: not valid YAML: Unresolved tag: !Ref'],
  ['a key that is a list', '? [a]\n: b\n', 'f.yaml:1:3: error HEDDLE_YAML: a key must be plain text'],
  ['a key without text', ': b\n', 'f.yaml:1:1: error HEDDLE_YAML: a key must be plain text'],
  ['the key __proto__', '{"__proto__": {"a": 1}}', 'f.yaml:1:2: error HEDDLE_YAML: a key must be plain text'],
  [
    'a merge of no mapping',
    'a: {<<: 1}\n',
    "f.yaml:1:5: error HEDDLE_YAML: '<<' takes a mapping or a list of mappings",
  ],
];

for (const [what, text, problem] of refused) {
  test(`refuses ${what}, with its place`, () => {
    assert.deepEqual(read(text), { values: [], problems: [problem] });
  });
}

test('says where broken YAML breaks, once, and still reads the documents before it', () => {
  const { values, problems } = read('a: 1\n---\nb: [1, 2\nc: 3\nd: ]\n');
  assert.deepEqual(values, [{ a: 1 }]);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^f\.yaml:4:1: error HEDDLE_YAML: not valid YAML: /);
});

test('follows anchors and merges, own keys first', () => {
  const { values } = read('x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: [*x]\n');
  assert.deepEqual(values, [{ x: { a: 1, b: 2 }, y: { a: 1, b: 3 }, z: [{ a: 1, b: 2 }] }]);
});

test('keeps the spelling of keys that look like numbers', () => {
  assert.deepEqual(read('1.10: a\n0x1F: b\n').values, [{ '1.10': 'a', '0x1F': 'b' }]);
});

test('refuses anchors that multiply beyond the limit', () => {
  const lines = ['a0: &a0 [x]'];
  for (let i = 1; i < 12; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(',')}]`);
  const { values, problems } = read(lines.join('\n'));
  assert.deepEqual(values, []);
  assert.match(problems.join('\n'), /HEDDLE_YAML_LIMIT: the file holds more than 200000 values/);
});

for (const [what, text] of [
  ['flow lists', `a: ${'['.repeat(20_000)}`],
  ['JSON mappings', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
  ['block lists', `${'- '.repeat(5000)}a`],
  ['a little more than allowed', `${'['.repeat(maxDepth + 2)}${']'.repeat(maxDepth + 2)}`],
] as const) {
  test(`refuses deep nesting: ${what}`, () => {
    const { values, problems } = read(text);
    assert.deepEqual(values, []);
    assert.match(problems[0]!, /HEDDLE_YAML_LIMIT: values are nested deeper than 64 levels/);
  });
}

test('reads as deep as the limit', () => {
  assert.deepEqual(read(`${'['.repeat(maxDepth)}${']'.repeat(maxDepth)}`).problems, []);
});

test('refuses a file that is too long, without reading it', () => {
  const { problems } = read('a'.repeat(maxFileLength + 1));
  assert.match(problems[0]!, /HEDDLE_YAML_LIMIT: the file has 2097153 characters, more than 2097152/);
});

test('reads any text without throwing, and any JSON to itself', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void read(text)));
  const piece = fc.constantFrom(
    'a: ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '"',
    "'",
    '|\n',
    '\n',
    '  ',
    '\t',
    '<<: ',
    '? ',
    '!t ',
    '---\n',
    '%',
    '#',
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => void read(pieces.join(''))));
  const key = fc.string().filter((name) => name !== '__proto__');
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('json'), { maxLength: 4 }),
    map: fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  }));
  fc.assert(
    fc.property(json, (value) => {
      assert.deepEqual(read(JSON.stringify({ value })).values, [{ value }]);
    }),
  );
});
