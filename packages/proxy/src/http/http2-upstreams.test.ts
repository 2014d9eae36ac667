import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startHttp2Upstream } from './http2-upstream-under-test.ts';

describe('servers that speak HTTP/2', () => {
  for (const by of ['http1', 'http2'] as const) {
    test(`answer clients of ${by}`, async (t) => {
      let seen: Record<string, unknown> = {};
      const world = await startHttp2Upstream(t, (stream, headers) => {
        seen = headers;
        stream.respond({ ':status': 201, 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] });
        stream.end('hello');
      });
      const { status, headers, body } = await world[by]({ path: '/a?b', headers: { 'x-one': '1' } });
      assert.deepEqual([status, headers['x-answer'], String(body)], [201, 'yes', 'hello']);
      assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
      assert.deepEqual(
        [seen[':method'], seen[':path'], seen[':scheme'], seen[':authority'], seen['x-one'], seen['host']],
        ['GET', '/a?b', 'http', 'a', '1', undefined],
      );
      assert.equal(seen['x-forwarded-proto'], 'http');
      assert.equal(world.proxy.metrics.http2ConnectionsTotal.value, 1);
      assert.equal(world.proxy.metrics.requestsActive.value, 0);
    });
  }
});
