// Pages that call a gRPC server of others, by gRPC-Web and through a proxy: what Envoy makes of it, ours has to.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { skipWithout } from '@heddle/testkit';
import { EchoServer } from './support/echo-server.ts';
import { isPayload, payload } from './support/payload.ts';
import { callFromPage } from './support/web-client.ts';
import { ways } from './support/ways.ts';

for (const way of ways) {
  // Directly there is nobody who knows gRPC-Web.
  if (way.name === 'directly') continue;
  describe(way.name, { skip: skipWithout(way.needs) }, () => {
    test('a page gets what the server gives, in binary and in text', async () => {
      await using server = await EchoServer.start();
      await using open = await way.open(server.port);
      for (const isText of [false, true]) {
        const ask = (method: string, size: number, metadata: Record<string, string>) =>
          callFromPage(open.port, method, payload(size), metadata, isText);
        for (const size of [0, 1, 100, 200_000]) {
          const { messages, status, echo } = await ask('Unary', size, { 'x-echo': 'a, "b"' });
          assert.deepEqual([status, echo, messages.length], ['0', 'a, "b"', 1]);
          assert.equal(messages[0]!.length, size);
          assert.ok(isPayload(messages[0]!));
        }
        const stream = await ask('ServerStream', 1001, { 'x-count': '20' });
        assert.deepEqual([stream.status, stream.messages.length], ['0', 20]);
        assert.ok(stream.messages.every((one) => one.length === 1001 && isPayload(one)));
        const failing = { 'x-status': '9', 'x-details': encodeURIComponent('näh: 100 %') };
        const failed = await ask('Unary', 10, failing);
        assert.deepEqual([failed.status, failed.details, failed.messages], ['9', 'näh: 100 %', []]);
        const late = await ask('ServerStream', 10, { ...failing, 'x-after': '3' });
        assert.deepEqual([late.status, late.details, late.messages.length], ['9', 'näh: 100 %', 3]);
        assert.equal((await ask('Missing', 10, {})).status, '12');
      }
    });
  });
}
