import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EscapedSlashes } from './path-normalization.ts';
import { get, hello, startChain } from './chain-under-test.ts';

const refusingSlashes = {
  path: { normalizes: false, mergesSlashes: false, escapedSlashes: EscapedSlashes.reject },
};
/** Requests whose end is clear, but which are not served, each with its answer. */
const unservable: readonly (readonly [string, string, RegExp])[] = [
  ['without a Host', 'GET / HTTP/1.1\r\n\r\n', /missing_host_header|no Host/],
  ['without a Host for an absolute target', 'GET http://a/ HTTP/1.1\r\n\r\n', /missing_host_header|no Host/],
  [
    'for a path that is refused',
    'GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n',
    /this listener does not take paths/,
  ],
];
for (const [name, request, reason] of unservable) {
  test(`a request ${name} ends its connection unless that is asked for`, async (t) => {
    const strict = await startChain(t, () => hello, { rules: refusingSlashes });
    strict.client.write(request + get);
    const answer = await strict.client.untilEnd();
    assert.match(answer, /^HTTP\/1\.1 400 [^]*connection: close\r\n/);
    assert.match(answer, reason);
    assert.equal(strict.seen(), '');
    const { client, proxy } = await startChain(t, () => hello, {
      server: { endsConnectionOnError: false },
      rules: refusingSlashes,
    });
    client.write(request + get);
    const answers = await client.until((text) => text.endsWith('hello'));
    assert.match(answers, /^HTTP\/1\.1 400 (?:(?!connection: close)[^])*HTTP\/1\.1 200 /);
    assert.equal(proxy.finished[0]?.code, 400);
    assert.equal(proxy.downstream.protocolErrors.value, 0);
  });
}

const unreadable = [
  'GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
  'FOO / HTTP/1.1\r\nHost: a\r\n\r\n',
];
test('what cannot be read ends the connection whatever is asked for', async (t) => {
  for (const request of unreadable) {
    const { client, seen } = await startChain(t, () => hello, { server: { endsConnectionOnError: false } });
    client.write(request + get);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 /);
    assert.equal(seen(), '');
  }
});

const twoLengths = 'Content-Length: 100\r\nTransfer-Encoding: chunked\r\n';

test('of a request with two lengths the chunks hold where that is allowed, and its connection ends', async (t) => {
  const { client, seen } = await startChain(
    t,
    (received) => (received.endsWith('0\r\n\r\n') ? hello : null),
    { server: { allowsChunkedLength: true } },
  );
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${twoLengths}\r\n3\r\nabc\r\n0\r\n\r\n${get}`);
  assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 [^]*connection: close\r\n\r\nhello$/);
  assert.match(seen(), /\r\nTransfer-Encoding: chunked\r\n[^]*3\r\nabc\r\n0\r\n\r\n$/);
  assert.doesNotMatch(seen(), /content-length/i);
});

test('two lengths of one kind are refused even then', async (t) => {
  const lengths = ['Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Content-Length: x\r\n'];
  for (const extra of lengths) {
    const { client, seen } = await startChain(t, () => hello, { server: { allowsChunkedLength: true } });
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${twoLengths}${extra}\r\n0\r\n\r\n`);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 (?:400|501) /);
    assert.equal(seen(), '');
  }
});

test('of a response with two lengths the chunks hold where that is allowed, and its connection ends', async (t) => {
  const answer = `HTTP/1.1 200 OK\r\n${twoLengths}\r\n3\r\nabc\r\n0\r\n\r\n`;
  const strict = await startChain(t, () => answer);
  strict.client.write(get);
  await strict.client.until((text) => text.startsWith('HTTP/1.1 502 '));
  const { client, upstreams } = await startChain(t, () => answer, {
    responses: { allowsChunkedLength: true },
  });
  client.write(get);
  const text = await client.until((received) => received.endsWith('3\r\nabc\r\n0\r\n\r\n'));
  assert.doesNotMatch(text, /content-length/i);
  client.write(get);
  await client.until((received) => received.split('abc').length === 3);
  assert.equal(upstreams.length, 2);
});

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

test('an empty Host is one, on a connection that had another one too', async (t) => {
  const { client, seen } = await startChain(t, () => hello);
  client.write(get);
  await client.until((text) => text.endsWith('hello'));
  client.write('GET /empty HTTP/1.1\r\nHost:\r\n\r\n');
  await client.until((text) => text.split('hello').length === 3);
  assert.match(seen(), /GET \/empty HTTP\/1\.1\r\nHost:\r\n/);
});
