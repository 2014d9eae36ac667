import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Field } from '../codec/field.ts';
import { FieldRule, malformedField, rulesOf } from './field-rules.ts';

function fault(name: string, value: string): number {
  return rulesOf(new Field(name, value)) & malformedField;
}

describe('names', () => {
  for (const name of [
    '',
    'Host',
    'x-Upper',
    'a b',
    'a:b',
    ' a',
    'a ',
    'a\r',
    'a\n',
    'a\0',
    'é',
    'Ġ',
    '(a)',
    '"a"',
    'a,b',
  ]) {
    test(`${JSON.stringify(name)} is none`, () => assert.equal(fault(name, 'x'), FieldRule.badName));
  }

  for (const name of [':', ':foo', ':Path', ':path ', ':host', ':status:']) {
    test(`${JSON.stringify(name)} is no pseudo-header`, () =>
      assert.equal(fault(name, '/'), FieldRule.badName));
  }

  test('every character of a token but capitals is one of a name', () => {
    assert.equal(fault("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz", ''), 0);
  });

  test('an underscore is told', () => {
    assert.ok((rulesOf(new Field('x_y', '')) & FieldRule.underscore) !== 0);
    assert.ok((rulesOf(new Field('x-y', '')) & FieldRule.underscore) === 0);
  });
});

describe('values', () => {
  for (const value of [
    'a\rb',
    'a\nb',
    'a\0b',
    'a\u0001',
    '\u007f',
    'a\u000b',
    ' a',
    'a ',
    '\ta',
    'a\t',
    ' ',
    'aĊ',
    'Ā',
  ]) {
    test(`${JSON.stringify(value)} is none`, () => assert.equal(fault('x', value), FieldRule.badValue));
  }

  for (const value of ['', 'a', 'a b', 'a\tb', 'ÿ\u0080', '"<>\\^`{|}#']) {
    test(`${JSON.stringify(value)} is one`, () => assert.equal(fault('x', value), 0));
  }
});

describe('fields with rules of their own', () => {
  test('a fragment in a path is told', () => {
    const rules = (path: string): number => rulesOf(new Field(':path', path));
    for (const path of ['/a#b', '/#', '/##']) assert.equal(rules(path), FieldRule.path | FieldRule.fragment);
    assert.equal(rules('/a'), FieldRule.path);
    for (const path of ['#', 'a#', '/a #b']) assert.equal(rules(path), FieldRule.path | FieldRule.badValue);
  });

  for (const [name, good, bad] of [
    [':method', ['GET', 'CONNECT', 'OPTIONS', 'get', 'M-SEARCH'], ['', 'G T', 'GET ', 'G\r\n', 'G/T']],
    [':scheme', ['http', 'https', 'HTTP', 'a+b.c-d'], ['', 'h ttp', 'http:', '1http', 'http\n']],
    [
      ':path',
      ['/', '/a?b=c', '*', '/"<>\\^`{|}', '/%0d%0a'],
      ['', 'a', '**', '/a b', '/\u007f', '/é', '/a\r\nb', 'http://a/'],
    ],
    [
      ':authority',
      ['a', 'a.example:80', '[::1]:80', '127.0.0.1', 'a_b'],
      ['', 'u@a', 'a/b', 'a b', 'a:b:c', 'a:1:2', 'é', 'a\r\n', ' a', 'a ', 'a?'],
    ],
    ['host', ['a', 'a.example:80'], ['', 'u@a', 'a b', 'a, b']],
    [':protocol', ['websocket', 'connect-udp'], ['', 'a b']],
    [':status', ['200', '100', '599', '999'], ['', '20', '2000', '099', 'abc', '101', '+20', '200 ']],
    [
      'content-length',
      ['0', '5', '123456789012345'],
      ['', '-1', '+0', '00', '0, 0', '5,5', '0x5', '1e1', '5 ', '99999999999999999999'],
    ],
    ['te', ['trailers', 'Trailers'], ['gzip', 'trailers, gzip', '', 'trailers;q=1']],
  ] as const) {
    for (const value of good) {
      test(`${name}: ${JSON.stringify(value)} is good`, () => assert.equal(fault(name, value), 0));
    }
    for (const value of bad) {
      test(`${name}: ${JSON.stringify(value)} is not`, () =>
        assert.equal(fault(name, value), FieldRule.badValue));
    }
  }

  for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']) {
    test(`${name} has no place in HTTP/2`, () => {
      assert.ok((fault(name, 'close') & FieldRule.connectionSpecific) !== 0);
      assert.ok((fault(name, '') & FieldRule.connectionSpecific) !== 0);
    });
  }
});

test('a field is looked at once', () => {
  const field = new Field('x', 'y');
  const rules = rulesOf(field);
  assert.equal(field.rules, rules);
  assert.equal(field.key.rules & FieldRule.regular, FieldRule.regular);
  // Were it looked at again, this would be found wrong.
  Reflect.set(field, 'value', '\n');
  assert.equal(rulesOf(field), rules);
});
