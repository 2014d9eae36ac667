// Whatever the proxy forwards, strict llhttp (in node:http) and nginx frame exactly as the proxy did: the same requests in
// the same order, ending at the same bytes. A marker behind them shows where each thinks that the last one ended.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  SeededRandom,
  findProgram,
  freePort,
  skipWithout,
  startChild,
  temporaryDirectory,
  waitForPort,
} from '@heddle/testkit';
import { mutateHttp1 } from '../../fuzz/grammar/http1.ts';
import { bytesOf, replayRequest } from '../conformance/http1-replay.ts';
import { readStrictly } from '../conformance/strict-request.ts';
import { suiteFolder } from '../conformance/model-data.ts';
import { MemoryProxy } from '../support/memory-proxy.ts';
import { requestCases } from '../wire/requests.ts';

const marker = '/where-the-last-request-ended';
const markerRequest = `GET ${marker} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
const mutations = 8000;

/** What is put into the proxy: the rules' cases, the third-party suites where they are at hand, and mutations of both. */
function inputs(): string[] {
  const seeds = requestCases.flatMap(({ request = '' }) => (request.length < 4000 ? [request] : []));
  for (const [suite, field] of [
    ['http1-parsing', 'inputBase64'],
    ['request-smuggling', 'rawRequest'],
  ] as const) {
    const file = join(suiteFolder(suite) ?? '', 'cases.json');
    if (!existsSync(file)) continue;
    const cases = JSON.parse(readFileSync(file, 'utf8')) as readonly Record<string, string>[];
    seeds.push(...cases.flatMap((one) => (one['protocol'] === 'h2c' ? [] : [bytesOf(one[field] ?? '')])));
  }
  const random = new SeededRandom('framing');
  const corpus = seeds.map((seed) => Buffer.from(seed, 'latin1'));
  // Most cases are there to be refused; what is nearly a request is more often forwarded.
  const readable = corpus.filter((seed) => readStrictly(seed.toString('latin1')).requests.length > 0);
  const mutated = Array.from({ length: mutations }, () =>
    Buffer.from(mutateHttp1(random.pick(readable), corpus, random)).toString('latin1'),
  );
  return [...seeds, ...mutated];
}

/** Everything that the proxy sent to an upstream, one text per connection, each different. */
async function forwardedTexts(): Promise<string[]> {
  const proxy = await MemoryProxy.start();
  const texts = new Set<string>();
  for (const input of inputs()) {
    replayRequest(proxy, [input], (text) => {
      // Connections that end in the middle of a request have no framing to agree on.
      const { requests } = readStrictly(`${text}${markerRequest}`);
      const last = requests.at(-1);
      if (requests.length > 1 && last?.method === 'GET' && last.target === marker) texts.add(text);
    });
  }
  await proxy.close();
  return [...texts];
}

/** The targets that a server answered for, in order, when it was sent `text` and the marker. */
async function targetsSeenBy(port: number, text: string): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1' });
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(text + markerRequest, 'latin1');
  await once(socket, 'close');
  return [...answer.matchAll(/<<(.*?)>>/g)].map((match) => match[1]!);
}

function expectedTargets(text: string): string[] {
  return [...readStrictly(text).requests.map(({ target }) => target), marker];
}

const texts = await forwardedTexts();

describe('what the proxy forwards', () => {
  test('is enough to compare', () => assert.ok(texts.length > 200, `${texts.length} texts`));

  test('is framed alike by llhttp', async () => {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      const body = `<<${request.url ?? ''}>>`;
      request.resume();
      request.on('end', () => response.end(request.method === 'HEAD' ? undefined : body));
      // HEAD has no body: its target is told in a field.
      if (request.method === 'HEAD') response.setHeader('x-target', body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const wrong: string[] = [];
      for (const text of texts) {
        const seen = await targetsSeenBy(port, text);
        if (seen.join(' ') !== expectedTargets(text).join(' '))
          wrong.push(`${JSON.stringify(text)}: ${seen.join(' ')}`);
      }
      assert.deepEqual(wrong, []);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  const nginx = findProgram('nginx');
  test('is framed alike by nginx', { skip: skipWithout({ nginx }) }, async () => {
    await using directory = await temporaryDirectory();
    const port = await freePort();
    const file = join(directory.path, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${directory.path}/pid; error_log stderr emerg; events {}
http { access_log off; client_body_temp_path ${directory.path}; large_client_header_buffers 8 64k;
underscores_in_headers on; keepalive_requests 100000;
server { listen 127.0.0.1:${port}; location / { add_header x-target "<<$request_uri>>" always; return 204; } } }`,
    );
    const child = await startChild(nginx!, { arguments: ['-p', `${directory.path}/`, '-c', file] });
    after(() => child.stop());
    await waitForPort(port);
    const wrong: string[] = [];
    for (const text of texts) {
      const seen = await targetsSeenBy(port, text);
      const expected = expectedTargets(text);
      // nginx refuses some requests that it frames well (TRACE, CONNECT, a target with a NUL in it): then it stops there.
      const isPrefix = seen.every((target, index) => target === expected[index]);
      if (!isPrefix) wrong.push(`${JSON.stringify(text)}: ${seen.join(' ')}`);
    }
    await child.stop();
    assert.deepEqual(wrong, []);
  });
});
