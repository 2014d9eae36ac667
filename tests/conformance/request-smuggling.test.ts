// Requests on which HTTP parsers disagree: refused, or passed on with one framing that everybody reads alike.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MemoryProxy, type Peer } from '../support/memory-proxy.ts';
import { Score } from './http1-case.ts';
import { bytesOf } from './http1-replay.ts';
import { suiteFolder } from './model-data.ts';
import { type StrictRequest, readStrictly } from './strict-request.ts';

const suite = 'request-smuggling';
const folder = suiteFolder(suite);

interface SmugglingCase {
  readonly id: string;
  readonly protocol: string;
  readonly rawRequest: string;
  readonly acceptable: 'reject' | 'forward-unambiguously';
  readonly maxBackendRequests: number;
  readonly neverARequestFor?: string;
  readonly control?: boolean;
}

const answer = 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 0\r\n\r\n';
/** How long a client waits for what does not come, in virtual time. */
const patienceMs = 2000;

/** Sends one request and tells what backends got and what came back. */
function replay(
  proxy: MemoryProxy,
  bytes: string,
): { text: string; isClosed: boolean; requests: StrictRequest[] } {
  const answered = new Map<Peer, number>();
  proxy.serve = (peer) => {
    const count = readStrictly(peer.text).requests.length;
    for (let done = answered.get(peer) ?? 0; done < count; done++) peer.send(answer);
    answered.set(peer, count);
  };
  const client = proxy.connect();
  client.send(bytes);
  proxy.run(patienceMs);
  if (!client.isClosed) client.end();
  proxy.run(patienceMs);
  const requests: StrictRequest[] = [];
  for (const peer of proxy.upstream) {
    const read = readStrictly(peer.text);
    requests.push(...read.requests);
    if (read.problem !== '')
      throw new Error(`an upstream was sent ${JSON.stringify(peer.text)}: ${read.problem}`);
  }
  const result = { text: client.text, isClosed: client.isClosed || client.hasEnded, requests };
  if (!client.isClosed) client.reset();
  proxy.forget();
  return result;
}

function judge(proxy: MemoryProxy, one: SmugglingCase): string {
  const bytes = bytesOf(one.rawRequest);
  const { text, isClosed, requests } = replay(proxy, bytes);
  if (requests.length > one.maxBackendRequests) return `backends got ${requests.length} requests`;
  const smuggled = requests.find(({ target }) => target === one.neverARequestFor);
  if (smuggled !== undefined) return `a backend got a request for ${smuggled.target}`;
  if (one.acceptable === 'reject') {
    if (!/^HTTP\/1\.1 [45]/m.test(text) && !isClosed) return `not refused: ${JSON.stringify(text)}`;
    if (requests.length > 0 && one.maxBackendRequests === 0) return 'passed on';
  }
  if (one.control === true) {
    if (text.startsWith('HTTP/1.1 411')) return '';
    const [request] = requests;
    const line = /^(\S+) (\S+)/.exec(bytes.trimStart());
    if (request === undefined) return `a control was refused: ${JSON.stringify(text)}`;
    if (request.method !== line?.[1]) return `method ${request.method}`;
  }
  const after = replay(proxy, 'GET /afterwards HTTP/1.1\r\nHost: a\r\n\r\n');
  return after.requests.length === 1 ? '' : 'does not serve any more';
}

/** HTTP/1.0 is among what the suite wants served. */
const manager = {
  http_protocol_options: { accept_http_10: true, default_host_for_http_10: 'default.example' },
};
const proxy = folder === undefined ? null : await MemoryProxy.start({ manager });
after(() => proxy?.close());

test('passes nothing on that two parsers could read differently', { skip: folder === undefined }, () => {
  const cases = JSON.parse(readFileSync(join(folder!, 'cases.json'), 'utf8')) as readonly SmugglingCase[];
  const score = new Score(suite);
  for (const one of cases) {
    if (one.protocol !== 'http/1.1') {
      score.add(one.id, 'skipped');
      continue;
    }
    let problem: string;
    try {
      problem = judge(proxy!, one);
    } catch (error) {
      problem = String(error);
    }
    score.add(one.id, problem === '' ? 'passed' : 'failed', problem);
  }
  console.log(score.toString());
  assert.deepEqual(score.failures, []);
  assert.ok(score.passed > 0);
});
