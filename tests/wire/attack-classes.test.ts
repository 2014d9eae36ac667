// Attacks on HTTP/1.1 and HTTP/2, limits, TLS and the PROXY protocol, each class with its tests: those that no rule has are here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { MemoryProxy } from '../support/memory-proxy.ts';
import { attackClasses } from './attack-classes.ts';
import { requestCases } from './requests.ts';
import { responseCases } from './responses.ts';
import { runCase } from './run-case.ts';

const proxy = await MemoryProxy.start();
after(() => proxy.close());

const root = new URL('../../', import.meta.url);
const rules = new Set([...requestCases, ...responseCases].map(({ rule }) => Number(rule)));

for (const { number, name, rules: its, cases, elsewhere } of attackClasses) {
  describe(`class ${number}, ${name}`, () => {
    test('is tested by name', () => {
      assert.ok(its.length + cases.length + elsewhere.length > 0);
      for (const rule of its) assert.ok(rules.has(rule), `rule ${rule}`);
      for (const { file, names } of elsewhere) {
        const text = readFileSync(new URL(file, root), 'utf8');
        for (const part of names) assert.ok(text.includes(part), `${file} has no test '${part}'`);
      }
    });
    for (const one of cases) test(one.name, () => runCase(proxy, one));
  });
}

test('every class of HTTP, limits, TLS and the PROXY protocol is there', () => {
  const expected = [...Array.from({ length: 28 }, (_, index) => 1 + index), 30];
  assert.deepEqual(
    attackClasses.map(({ number }) => number),
    expected,
  );
});
