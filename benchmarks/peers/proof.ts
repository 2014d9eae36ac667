// A run counts only if the proxy did the work it is measured for: it has counted every request, the backend has seen
// them, and what two parsers could read differently is still refused.
import { connect } from 'node:net';
import { eventually } from '@heddle/testkit';
import { askOverHttp2 } from './h2-frames.ts';
import { type Front, type Place, frontPort, isChain } from './place.ts';
import type { Peer } from './peer.ts';

/** What went through a proxy, as the load counted it. */
export interface Sent {
  readonly requests: number;
  readonly bytes: number;
}

/** The sum of all series of one counter in a page of Prometheus text. */
export function sumOf(page: string, counter: string, label: string): number {
  let sum = 0;
  for (const line of page.split('\n')) {
    if (line.startsWith(`${counter}{`) && line.includes(label)) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}

/** The `stat_prefix` of each front's connection manager. */
const prefixes: Readonly<Record<Exclude<Front, 'tcp'>, string>> = {
  http: 'http',
  https: 'http',
  h2: 'h2',
  chain: 'outbound',
  'chain-grpc': 'outbound',
};

/** What the proxy itself has counted: requests, or bytes where it knows nothing of requests. */
async function counted(place: Place): Promise<number> {
  if (place.front !== 'tcp') return await requestsCounted(place.adminPort, prefixes[place.front]);
  const page = await statsOf(place.adminPort);
  return sumOf(page, 'envoy_tcp_downstream_cx_rx_bytes_total', 'envoy_tcp_prefix="tcp"');
}

/** How many requests a connection manager has counted. */
export async function requestsCounted(adminPort: number, prefix: string): Promise<number> {
  const label = `envoy_http_conn_manager_prefix="${prefix}"`;
  return sumOf(await statsOf(adminPort), 'envoy_http_downstream_rq_total', label);
}

async function statsOf(adminPort: number): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${adminPort}/stats/prometheus`)).text();
}

/** Envoy merges its counts every few seconds. */
const countTimeoutMs = 8000;

/** Throws where the proxy's own count is not exactly what was sent. */
export async function proveCount(
  peer: Peer,
  place: Place,
  sent: Sent,
  timeoutMs = countTimeoutMs,
): Promise<void> {
  if (!peer.hasAdmin) return;
  const expected = place.front === 'tcp' ? sent.bytes : sent.requests;
  let seen = -1;
  try {
    await eventually('counts', async () => (seen = await counted(place)) === expected, timeoutMs, 100);
  } catch {
    const unit = place.front === 'tcp' ? 'bytes' : 'requests';
    throw new Error(`${peer.name} counted ${seen} ${unit}, but ${expected} were sent`);
  }
}

const ambiguous =
  'POST / HTTP/1.1\r\nHost: ambiguous\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';

/**
 * Throws where a request with two lengths is answered with anything but 400, by the process that was measured; over HTTP/2,
 * where one with a field that only HTTP/1.1 has is.
 */
export async function proveStrictness(peer: Peer, place: Place): Promise<void> {
  if (!peer.hasAdmin) return;
  if (place.front === 'h2') {
    if ((await askOverHttp2(place.ports.h2, [['transfer-encoding', 'chunked']])) === 'ok')
      throw new Error(`${peer.name} takes a request with Transfer-Encoding over HTTP/2`);
  }
  const answer = await exchange(isChain(place) ? frontPort(place) : place.ports.http, ambiguous);
  if (!answer.startsWith('HTTP/1.1 400 '))
    throw new Error(
      `${peer.name} takes a request with Content-Length and Transfer-Encoding: ${answer.split('\r\n')[0]}`,
    );
}

/** Throws where the backend has seen fewer requests than were answered, or more than were sent. */
export function proveBackend(peer: Peer, seen: number, answered: number, sent: number): void {
  if (seen < answered || seen > sent)
    throw new Error(
      `${peer.name}: the backend saw ${seen} requests, but ${sent} were sent and ${answered} answered`,
    );
}

/** Throws where the answers were shorter or longer than the backend's. */
export function proveBytes(peer: Peer, received: number, expected: number): void {
  if (received !== expected)
    throw new Error(`${peer.name}: the answers had ${received} bytes of body, not ${expected}`);
}

/** Sends bytes and returns the first bytes that come back. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer for 5 s')));
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1'));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('closed without an answer')));
  });
}

/** One request through the front, answered with 200: proof that a peer works here at all. */
export async function proveAnswer(place: Place): Promise<void> {
  if (place.front === 'https' || place.front === 'chain-grpc') return;
  if (place.front === 'h2') {
    if ((await askOverHttp2(frontPort(place))) !== 'ok') throw new Error('it answers no 200 over HTTP/2');
    return;
  }
  const answer = await exchange(frontPort(place), 'GET / HTTP/1.1\r\nHost: proof\r\n\r\n');
  if (!answer.startsWith('HTTP/1.1 200 ')) throw new Error(`it answers ${answer.split('\r\n')[0]}`);
}
