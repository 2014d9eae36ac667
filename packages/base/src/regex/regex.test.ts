import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Regex, Substitution } from './regex.ts';

function regex(pattern: string): Regex {
  const compiled = Regex.compile(pattern);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.error);
  return compiled.value;
}

const matching: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['ab', 'abcd', 'xabc', 'ABC']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
  ['/b[io]t', ['/bit', '/bot'], ['/bat', '/bite']],
  [
    '/api/v\\d+/users/[^/]+(/.*)?',
    ['/api/v1/users/a', '/api/v12/users/a/b/c'],
    ['/api/v/users/a', '/api/v1/users/'],
  ],
  ['.*\\.(?:png|jpe?g)', ['/a.png', '/b.jpg', '/c.jpeg'], ['/a.gif', '/apng']],
  ['a{2}b{1,}c{0,2}', ['aab', 'aabbbcc'], ['ab', 'aa', 'aabccc']],
  ['a{2', ['a{2'], ['aa']],
  ['(?i)Te[s-t]t', ['test', 'TEST', 'teSt'], ['tesst']],
  ['(?i:a)b', ['ab', 'Ab'], ['aB']],
  ['(?i)[^a]', ['b'], ['a', 'A']],
  ['a.c', ['abc', 'a\xffc'], ['a\nc', 'ac']],
  ['(?s)a.c', ['a\nc'], []],
  ['^a$', ['a'], ['a\n']],
  ['(?m)a$\n^b', ['a\nb'], ['a b']],
  ['\\Aa\\z', ['a'], ['aa']],
  ['\\ba\\b.*', ['a', 'a b'], ['ab']],
  ['a\\Bb', ['ab'], ['a b']],
  ['[]a-]+', [']a-', '-'], ['b']],
  ['[[:alpha:]_]+[[:^digit:]]', ['ab_c', 'a!'], ['a1', '1a']],
  ['[\\w.\\-]+', ['a.b-c_9'], ['a b']],
  ['[\\D]', ['a'], ['1']],
  ['\\x41\\x{42}\\103\\t\\.', ['ABC\t.'], ['ABC\tx']],
  ['\\Qa.b*\\Ec', ['a.b*c'], ['axbc']],
  ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
  ['a*?b+?c??', ['b', 'aabbc'], ['a']],
  ['(?U)a+', ['aa'], ['']],
  ['(a*)*b', ['b', 'aab'], ['a']],
  ['(|a)+', ['', 'aa'], ['b']],
  // In the bytes of heads a character outside of ASCII is its UTF-8 form.
  ['/é', ['/\xc3\xa9'], ['/\xe9']],
];

describe('matches as RE2 does', () => {
  for (const [pattern, takes, leaves] of matching) {
    test(pattern, () => {
      const compiled = regex(pattern);
      // Twice: the second time over states that are there already.
      for (let round = 0; round < 2; round++) {
        for (const text of takes) assert.equal(compiled.matches(text), true, JSON.stringify(text));
        for (const text of leaves) assert.equal(compiled.matches(text), false, JSON.stringify(text));
      }
    });
  }
});

const refused: readonly (readonly [string, string])[] = [
  ['(a)\\1', 'a back reference, which RE2 lacks at character 4'],
  ['(?=a)b', 'a group of a kind that RE2 lacks at character 3'],
  ['(?!a)b', 'a group of a kind that RE2 lacks at character 3'],
  ['(?<=a)b', 'a group of a kind that RE2 lacks at character 3'],
  ['(?>a)', 'a group of a kind that RE2 lacks at character 3'],
  ['a**', 'a repetition of the repetition * at character 3'],
  ['*a', 'nothing to repeat before * at character 1'],
  ['(a', 'a missing ) at character 3'],
  ['a)', 'an unexpected ) at character 2'],
  ['[a', 'a missing ] at character 1'],
  ['[z-a]', 'a range whose ends are reversed at character 5'],
  ['[é]', 'a class with a character outside of ASCII at character 2'],
  ['[[:x:]]', 'the class [:x:] at character 2'],
  ['\\pL', 'the escape \\p at character 1'],
  ['a\\', 'a \\ at the end at character 2'],
  ['a{1001}', 'a repetition of more than 1000 times at character 2'],
  ['a{3,2}', 'a repetition whose bounds are reversed at character 2'],
  ['(a{1000}){1000}', 'it is too big'],
  [`${'('.repeat(201)}${')'.repeat(201)}`, 'groups nested too deeply at character 202'],
];
for (const [pattern, reason] of refused) {
  test(`refuses ${pattern.slice(0, 20)}`, () => {
    const compiled = Regex.compile(pattern);
    assert.equal(compiled.ok ? 'compiled' : compiled.error, reason);
  });
}

const substitutions: readonly (readonly [string, string, string, string])[] = [
  ['^/rr/([^/]+)(/.*)$', '\\2/i/\\1', '/rr/a/b', '/b/i/a'],
  ['a', 'X', '/rall', '/rXll'],
  ['a|b', '[\\0]', 'cab', 'c[a][b]'],
  ['(a+)(b)?', '<\\1|\\2>', 'aab a', '<aa|b> <a|>'],
  ['a+?', 'x', 'aaa', 'xxx'],
  ['x*', '-', 'abxc', '-a-b-c-'],
  ['^', '/v1', '/a', '/v1/a'],
  ['^a', 'b', 'aa', 'ba'],
  ['$', '!', 'a', 'a!'],
  ['(?i)AB', '\\\\', 'xabX', 'x\\X'],
  ['(a|ab)(c|bcd)', '\\1,\\2', 'abcd', 'a,bcd'],
  ['none', 'x', '/a', '/a'],
];
for (const [pattern, text, subject, expected] of substitutions) {
  test(`replaces ${pattern} by ${text}: ${subject} → ${expected}`, () => {
    const compiled = regex(pattern);
    const substitution = Substitution.compile(text, compiled.captures);
    assert.ok(substitution.ok);
    assert.equal(compiled.replaceAll(subject, substitution.value), expected);
  });
}

test('refuses a substitution that names what is not there', () => {
  const error = (text: string): string | null => {
    const compiled = Substitution.compile(text, 1);
    return compiled.ok ? null : compiled.error;
  };
  assert.equal(error('\\1'), null);
  assert.equal(error('\\2'), 'the pattern has no group 2');
  assert.equal(error('\\a'), '"\\a" is neither a group nor \\\\');
  assert.equal(error('\\'), '"\\" is neither a group nor \\\\');
});

/** Random patterns and texts over a small alphabet, reproducible. */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % bound;
  };
}

const taking = ['a', 'b', '.', '[ab]', '[^a]'];
const all = [...taking, '\\b', '^', '$', ''];

function randomPattern(next: (bound: number) => number, depth: number, atoms: readonly string[]): string {
  const one = (): string => {
    const kind = next(depth > 0 ? 6 : 3);
    if (kind < 3) return atoms[next(atoms.length)]!;
    const inner = randomPattern(next, depth - 1, atoms);
    return kind === 3 ? `(${inner})` : `(?:${inner})${['*', '+', '?', '{1,2}', '*?', '+?'][next(6)]}`;
  };
  const parts = Array.from({ length: 1 + next(3) }, one).join('');
  return next(4) === 0 ? `${parts}|${one()}` : parts;
}

test('agrees with a backtracking engine on random patterns', () => {
  const next = generator(7);
  for (let i = 0; i < 3_000; i++) {
    const pattern = randomPattern(next, 2, all);
    const mine = regex(pattern);
    const theirs = new RegExp(`^(?:${pattern})$`);
    for (let j = 0; j < 6; j++) {
      const text = Array.from({ length: next(7) }, () => 'abc'[next(3)]).join('');
      assert.equal(mine.matches(text), theirs.test(text), `${pattern} on "${text}"`);
    }
  }
});

test('finds the matches that a backtracking engine finds', () => {
  const next = generator(11);
  const whole = Substitution.compile('<\\0>', 0);
  assert.ok(whole.ok);
  for (let i = 0; i < 3_000; i++) {
    // A loop over what may be empty is left differently by each engine.
    const pattern = randomPattern(next, 1, taking);
    const mine = regex(pattern);
    for (let j = 0; j < 6; j++) {
      const text = Array.from({ length: next(9) }, () => 'abc'[next(3)]).join('');
      const theirs = text.replace(new RegExp(pattern, 'g'), '<$&>');
      // RE2 counts an empty match right behind another one out.
      if (theirs.includes('<>')) continue;
      assert.equal(mine.replaceAll(text, whole.value), theirs, `${pattern} on "${text}"`);
    }
  }
});

test('hostile texts make no more states than are kept', () => {
  const compiled = regex('(a|b)*a(a|b){12}');
  const next = generator(3);
  const text = Array.from({ length: 20_000 }, () => 'ab'[next(2)]).join('');
  assert.equal(compiled.matches(text), text.at(-13) === 'a');
  assert.equal(regex('(?:(?:a+)+)+').matches(`${'a'.repeat(50_000)}b`), false);
  assert.equal(regex('(?:a|aa)+').matches(`${'a'.repeat(50_000)}b`), false);
});
