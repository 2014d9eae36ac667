import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hello, startChain } from './chain-under-test.ts';
import type { ProxyOptions } from './proxy-under-test.ts';

type Action = NonNullable<ProxyOptions['route']>;

const auto: Action = { hostRewriteSpecifier: { $case: 'autoHostRewrite', value: true } };
const literal: Action = { hostRewriteSpecifier: { $case: 'hostRewriteLiteral', value: 'b' } };
const remembering: Action = { ...literal, appendXForwardedHost: true };

/** The fields about hosts that the upstream sees of a request with these fields, in alphabetical order. */
async function hostFields(
  t: { after(fn: () => unknown): void },
  fields: string,
  route: Action,
  endpointName = '',
): Promise<string[]> {
  const { client, seen } = await startChain(t, () => hello, { route, endpointName });
  client.write(`GET / HTTP/1.1\r\n${fields}\r\n`);
  await client.until((text) => text.endsWith('hello'));
  const lines = seen().split('\r\n');
  return lines.filter((line) => /^(?:host|x-envoy-original-host|x-forwarded-host):/i.test(line)).toSorted();
}

describe('the Host that goes upstream', () => {
  test("is the endpoint's name with auto_host_rewrite", async (t) => {
    const fields = await hostFields(t, 'Host: a\r\n', auto, 'real.example');
    assert.deepEqual(fields, ['host: real.example', 'x-envoy-original-host: a']);
  });

  test('stays where the endpoint has no name', async (t) => {
    assert.deepEqual(await hostFields(t, 'Host: a\r\n', auto), ['Host: a']);
  });

  test('is told of as rewritten even where it is the same', async (t) => {
    const fields = await hostFields(t, 'Host: b\r\n', remembering);
    assert.deepEqual(fields, ['host: b', 'x-envoy-original-host: b', 'x-forwarded-host: b']);
  });

  test('leaves the one before it in X-Forwarded-Host', async (t) => {
    const fields = await hostFields(t, 'Host: a\r\nX-Forwarded-Host: z\r\n', remembering);
    assert.deepEqual(fields, ['host: b', 'x-envoy-original-host: a', 'x-forwarded-host: z,a']);
  });

  test('is not written there twice', async (t) => {
    const fields = await hostFields(t, 'Host: a\r\nX-Forwarded-Host: z,a\r\n', remembering);
    assert.deepEqual(fields, ['X-Forwarded-Host: z,a', 'host: b', 'x-envoy-original-host: a']);
  });
});
