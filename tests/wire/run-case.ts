// Puts one case of a table through the data plane in memory and judges what both sides saw.
import assert from 'node:assert/strict';
import { readStrictly } from '../conformance/strict-request.ts';
import type { MemoryProxy, Peer } from '../support/memory-proxy.ts';
import { type WireCase, get } from './case.ts';

const plainAnswer = 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 0\r\n\r\n';

interface Seen {
  readonly client: Peer;
  readonly upstream: readonly Peer[];
}

/** Sends the case's bytes in one piece; the upstream answers each complete request, or the head where nothing more comes. */
function perform(proxy: MemoryProxy, one: WireCase): Seen {
  const answered = new Map<Peer, number>();
  proxy.serve = (peer) => {
    const complete = readStrictly(peer.text).requests.length;
    const isEarly = one.targets?.length === 0 && peer.text.includes('\r\n\r\n');
    for (let count = answered.get(peer) ?? 0; count < (isEarly ? 1 : complete); count++) {
      peer.send(one.response ?? plainAnswer);
      if (one.upstreamCloses === true) peer.end();
      answered.set(peer, count + 1);
    }
  };
  const client = proxy.connect();
  client.send(one.request ?? get('GET /'));
  proxy.run();
  return { client, upstream: [...proxy.upstream] };
}

function check(one: WireCase, { client, upstream }: Seen): void {
  const sent = upstream.map(({ text }) => text).join('');
  const targets = upstream.flatMap(({ text }) => readStrictly(text).requests.map(({ target }) => target));
  assert.deepEqual(
    upstream.map(({ text }) => readStrictly(text).problem).filter((problem) => problem !== ''),
    [],
    'the upstream can read what it gets',
  );
  if (one.refusedWith !== undefined) {
    assert.match(
      client.text,
      new RegExp(`^(?:HTTP/1.1 1\\d\\d [^]*?\\r\\n\\r\\n)*HTTP/1.1 ${one.refusedWith} `),
    );
    if (one.response === undefined) assert.ok(client.hasEnded || client.isClosed, 'the connection ends');
  }
  const expected = one.targets ?? (one.refusedWith !== undefined && one.response === undefined ? [] : ['/']);
  assert.deepEqual(targets, expected);
  const passedOn = one.response === undefined ? sent : client.text;
  for (const text of one.passesOn ?? [])
    assert.ok(passedOn.includes(text), `${JSON.stringify(text)} in ${passedOn}`);
  for (const text of one.keepsBack ?? []) {
    assert.ok(
      !passedOn.toLowerCase().includes(text.toLowerCase()),
      `no ${JSON.stringify(text)} in ${passedOn}`,
    );
  }
  if (one.dropsUpstream === true)
    assert.ok(upstream[0]!.isClosed || upstream[0]!.hasEnded, 'its connection is dropped');
}

/** Fails where the case does not end as it must; leaves the proxy without connections. */
export function runCase(proxy: MemoryProxy, one: WireCase): void {
  const seen = perform(proxy, one);
  try {
    check(one, seen);
  } finally {
    if (!seen.client.isClosed) seen.client.reset();
    proxy.forget();
  }
}
