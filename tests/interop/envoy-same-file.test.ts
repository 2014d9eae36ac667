// The same bootstrap file and the same bytes for real Envoy and for `heddle proxy`: what clients get and what the upstream
// sees must agree (design D11). Where they differ on purpose, the case says so with its reason.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  TestServer,
  findEnvoy,
  freePort,
  skipWithout,
  startChild,
  temporaryDirectory,
  waitForPort,
} from '@heddle/testkit';

const root = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(root, 'packages/cli/bin/heddle');
const example = join(root, 'examples/proxy/bootstrap.yaml');
const envoy = findEnvoy();

/** One proxy in front of an upstream that records what it is sent. */
interface Side {
  readonly name: string;
  readonly port: number;
  readonly admin: number;
  readonly seen: string[];
}

/** What a client and the upstream have seen of one exchange, as far as both proxies must agree. */
interface Seen {
  readonly status: string;
  readonly body: string;
  readonly upstreamLine: string | null;
  readonly upstreamHost: string | null;
  readonly upstreamBody: string | null;
}

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

/** Answers each request once it is complete: by length, or by its last chunk. */
function recordingUpstream(seen: string[]): TestServer {
  const server = createServer((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
      const isChunked = /\r\ntransfer-encoding: *chunked/i.test(text.slice(0, end));
      const body = text.slice(end + 4);
      if (isChunked ? !body.endsWith('0\r\n\r\n') : body.length < Number(length ?? 0)) return;
      seen.push(text);
      text = '';
      socket.write(answer);
    });
  });
  return new TestServer(server);
}

/** Sends bytes and collects what comes until the response is complete or the connection has ended. */
function exchange(port: number, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
  const isComplete = (): boolean => {
    const final = text.replace(/^HTTP\/1\.1 100[^]*?\r\n\r\n/, '');
    const end = final.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: *(\d+)/i.exec(final)?.[1];
    return (
      end >= 0 &&
      length !== undefined &&
      final.length >= end + 4 + (bytes.startsWith('HEAD') ? 0 : Number(length))
    );
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    if (isComplete()) socket.destroy();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => resolve(text));
  return promise;
}

async function observe(side: Side, bytes: string): Promise<Seen> {
  side.seen.length = 0;
  const response = (await exchange(side.port, bytes)).replace(/^HTTP\/1\.1 100[^]*?\r\n\r\n/, '');
  const status = /^HTTP\/1\.1 (\d+)/.exec(response)?.[1] ?? 'none';
  const upstream = side.seen[0] ?? null;
  const body = response.slice(response.indexOf('\r\n\r\n') + 4);
  return {
    status,
    body: status === '200' ? body : '',
    upstreamLine: upstream === null ? null : upstream.slice(0, upstream.indexOf('\r\n')),
    upstreamHost: upstream === null ? null : (/\r\nhost: *([^\r]*)/i.exec(upstream)?.[1] ?? ''),
    upstreamBody: upstream === null ? null : upstream.slice(upstream.indexOf('\r\n\r\n') + 4),
  };
}

interface Case {
  readonly name: string;
  readonly bytes: string;
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
const cases: readonly Case[] = [
  { name: 'a plain request', bytes: `${get}\r\n` },
  { name: 'path and query are kept', bytes: 'GET /a/b?c=d&e HTTP/1.1\r\nHost: a:1\r\n\r\n' },
  { name: 'HEAD', bytes: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'a body by length', bytes: `${post}Content-Length: 4\r\n\r\nbody` },
  { name: 'a chunked body', bytes: `${post}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n` },
  { name: 'an absolute target replaces Host', bytes: 'GET http://other/x HTTP/1.1\r\nHost: a\r\n\r\n' },
  {
    name: '100-continue is answered by the proxy',
    bytes: `${post}Content-Length: 4\r\nExpect: 100-continue\r\n\r\nbody`,
  },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n' },
  { name: 'HTTP/1.0', bytes: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n' },
  { name: 'both lengths', bytes: `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  { name: 'two different lengths', bytes: `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nbodyx` },
  { name: 'a length with a sign', bytes: `${post}Content-Length: +4\r\n\r\nbody` },
  { name: 'a space before the colon', bytes: `${get}X : y\r\n\r\n` },
  { name: 'NUL in a value', bytes: `${get}X: y\0z\r\n\r\n` },
  { name: 'an unknown transfer coding', bytes: `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  { name: 'a method that is none', bytes: 'G{T / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'a CONNECT without a route', bytes: 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n' },
  {
    name: 'an upgrade that is not configured',
    bytes: `${get}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  },
  { name: 'a head above 60 KiB', bytes: `${get}X: ${'x'.repeat(61 * 1024)}\r\n\r\n` },
  { name: 'more than 100 fields', bytes: `${get}${'x: y\r\n'.repeat(101)}\r\n` },
];

/** Where the two differ on purpose: only ours refusing what Envoy lets through, or by when the upstream hears of it. */
const deviations: readonly (Case & {
  readonly ours: string;
  readonly theirs: string;
  readonly reason: string;
})[] = [
  {
    name: 'a folded line',
    bytes: `${get}X: y\r\n z\r\n\r\n`,
    ours: '400',
    theirs: '200',
    reason: 'RFC 9112 §5.2 lets a server refuse it; parsers behind us disagree about it',
  },
  {
    name: 'a bad chunk size',
    bytes: `${post}Transfer-Encoding: chunked\r\n\r\n0x4\r\nbody\r\n0\r\n\r\n`,
    ours: '400',
    theirs: '400',
    reason: 'Envoy has no upstream connection yet when it reads the chunk; we stream, and reset the upstream',
  },
];

describe('real Envoy and heddle proxy with one file', { skip: skipWithout({ envoy }) }, () => {
  test('answer the same bytes alike', async (t) => {
    await using directory = await temporaryDirectory();
    const template = await readFile(example, 'utf8');
    const prepare = async (name: string): Promise<{ side: Side; upstream: TestServer; file: string }> => {
      const seen: string[] = [];
      const upstream = recordingUpstream(seen);
      upstream.server.listen(0, '127.0.0.1');
      const [port, admin] = [await freePort(), await freePort()];
      const text = template
        .replaceAll('10000', `${port}`)
        .replaceAll('9901', `${admin}`)
        .replaceAll('8081', `${upstream.port}`);
      const file = join(directory.path, `${name}.yaml`);
      await writeFile(file, text);
      return { side: { name, port, admin, seen }, upstream, file };
    };
    const theirs = await prepare('envoy');
    const ours = await prepare('heddle');
    await using _theirUpstream = theirs.upstream;
    await using _ourUpstream = ours.upstream;
    await using _envoy = await startChild(envoy!, {
      arguments: ['-c', theirs.file, '--concurrency', '1', '-l', 'off', '--disable-hot-restart'],
    });
    await using _heddle = await startChild(launcher, { arguments: ['proxy', '--bootstrap', ours.file] });
    await Promise.all([waitForPort(theirs.side.port), waitForPort(ours.side.port)]);
    for (const { name, bytes } of cases) {
      await t.test(name, async () => {
        assert.deepEqual(await observe(ours.side, bytes), await observe(theirs.side, bytes));
      });
    }
    await t.test('count the same requests', async () => {
      const count = async ({ admin }: Side): Promise<string | undefined> => {
        const text = await (await fetch(`http://127.0.0.1:${admin}/stats/prometheus`)).text();
        return /^envoy_cluster_upstream_rq_total\{envoy_cluster_name="application"\} (\d+)$/m.exec(text)?.[1];
      };
      assert.equal(await count(ours.side), await count(theirs.side));
    });
    for (const { name, bytes, ours: our, theirs: their, reason } of deviations) {
      await t.test(`${name} differs: ${reason}`, async () => {
        assert.equal((await observe(ours.side, bytes)).status, our);
        assert.equal((await observe(theirs.side, bytes)).status, their);
      });
    }
  });
});
