// Every rule of the list of checks that an HTTP/1.1 proxy must keep, as bytes on the wire: through the whole data plane,
// in memory.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { MemoryProxy } from '../support/memory-proxy.ts';
import { requestCases } from './requests.ts';
import { responseCases } from './responses.ts';
import { runCase } from './run-case.ts';

const proxy = await MemoryProxy.start({ manager: { http_protocol_options: { accept_http_10: true } } });
after(() => proxy.close());

for (const [title, cases] of [
  ['requests', requestCases],
  ['responses', responseCases],
] as const) {
  describe(`the rules for ${title}`, () => {
    for (const one of cases) {
      test(`rule ${one.rule}: ${one.name}`, () => {
        runCase(proxy, one);
      });
    }
  });
}

test('the table has every rule of HTTP/1.1', () => {
  const rules = new Set([...requestCases, ...responseCases].map(({ rule }) => Number(rule)));
  // 33 to 36 are about HTTP/2.
  const missing = Array.from({ length: 32 }, (_, index) => index + 1).filter((rule) => !rules.has(rule));
  assert.deepEqual(missing, []);
});
