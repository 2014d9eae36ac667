import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hello, startChain } from './chain-under-test.ts';

test('a method that nobody has defined is passed on where every method is taken, and nowhere else', async (t) => {
  const request = 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n';
  const strict = await startChain(t, () => hello);
  strict.client.write(request);
  assert.match(await strict.client.untilEnd(), /^HTTP\/1\.1 400 /);
  const open = await startChain(t, () => hello, { server: { allowsCustomMethods: true } });
  open.client.write(request);
  await open.client.until((text) => text.endsWith('hello'));
  assert.match(open.seen(), /^FOO \/ HTTP\/1\.1\r\n/);
  open.client.write('F@O / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await open.client.untilEnd(), /hello[^]*HTTP\/1\.1 400 /);
});
