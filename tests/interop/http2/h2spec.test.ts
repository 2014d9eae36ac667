// h2spec in its strict mode against `heddle proxy`, which forwards what is a request to a server of HTTP/1.1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipWithout, startChild } from '@heddle/testkit';
import { findH2spec } from './support/h2spec-program.ts';
import { serve, startProxy } from './support/proxy.ts';

const h2spec = await findH2spec();

test('every case of h2spec passes', { skip: skipWithout({ h2spec }) }, async (context) => {
  const server = await serve(context, (request, response) => {
    request.resume().on('end', () => response.end('hello, world'));
  });
  const ports = await startProxy(context, server);
  for (const [name, more] of [
    ['cleartext', []],
    ['tls', ['--tls', '--insecure']],
  ] as const) {
    await context.test(`over ${name}`, async () => {
      await using child = await startChild(h2spec!, {
        arguments: ['--strict', '--port', String(ports[name]), '--timeout', '5', ...more],
      });
      await child.ended(120_000);
      assert.match(child.output, /146 tests, 146 passed, 0 skipped, 0 failed/);
    });
  }
});
