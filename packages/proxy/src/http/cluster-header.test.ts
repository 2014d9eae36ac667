import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';
import { toBackend } from './proxy-under-test.ts';

const named = get.replace('\r\n\r\n', '\r\nX-Cluster: be\r\n\r\n');

function start(t: { after(fn: () => unknown): void }, answers: readonly (string | null)[]) {
  let requests = 0;
  const clusterSpecifier = { $case: 'clusterHeader', value: 'X-Cluster' } as const;
  return startChain(
    t,
    (_, socket) => {
      const answer = answers[requests++]!;
      if (answer === null) socket.destroy();
      return answer;
    },
    {
      routes: [
        toBackend({ clusterSpecifier, retryPolicy: { retryOn: 'reset' } }, undefined, {
          requestHeadersToRemove: ['x-cluster'],
        }),
      ],
    },
  );
}

test('a request goes to the cluster that it names, and again where it went first', async (t) => {
  const { client, seen } = await start(t, [null, hello]);
  client.write(named);
  await client.until((text) => text.endsWith('hello'));
  assert.equal(seen().split('GET /a').length, 3);
  assert.doesNotMatch(seen(), /x-cluster/i);
});

test('a request that names no cluster, or one that does not exist, finds none', async (t) => {
  const { client, proxy } = await start(t, []);
  client.write(get);
  await client.until((text) => text.endsWith('does not exist'));
  client.write(named.replace(': be', ': ce'));
  await client.until((text) => text.split('HTTP/1.1 503 ').length === 3);
  assert.equal(proxy.downstream.clustersNotFound.value, 2);
  assert.equal(proxy.finished[1]?.flags, 'NC');
});
