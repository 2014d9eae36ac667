import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type Clock, systemClock } from '@heddle/base';
import { makeLeaf } from '@heddle/identity/test-authority';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { GivenTicketKey, type TicketPolicy } from '../../tls/tls-config.ts';
import { type TicketAnswer, TicketKeys } from './ticket-keys.ts';
import { TlsBench, Workload, firstRoot, secondRoot } from './tls-under-test.ts';

const hourMs = 3_600_000;
const reviews = 'spiffe://cluster.local/ns/default/sa/reviews';
const ratings = 'spiffe://cluster.local/ns/default/sa/ratings';

const open: TlsBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
});

function newBench(): TlsBench {
  const bench = new TlsBench();
  open.push(bench);
  return bench;
}

function withTickets(security: LinkSecurity, tickets: TicketPolicy): LinkSecurity {
  return { ...security, server: { ...security.server, tickets } };
}

test('a second connection resumes the session of the first, and both ends know each other again', async () => {
  const bench = newBench();
  const server = await bench.serve(new Workload(reviews).security());
  const client = new Workload(ratings).security();
  const first = await bench.visit(server, client);
  assert.deepEqual([first.isAnswered, first.session?.isResumed], [true, false]);
  const second = await bench.visit(server, client);
  assert.deepEqual([second.isAnswered, second.session?.isResumed], [true, true]);
  assert.equal(second.connection.peerIdentity, reviews);
  assert.deepEqual(second.session?.peer?.uriSans, [reviews]);
  assert.equal(server.accepted[1]!.tls?.isResumed, true);
  assert.equal(server.accepted[1]!.peerIdentity, ratings);
  const third = await bench.visit(server, client);
  assert.equal(third.session?.isResumed, true, 'a resumed handshake brings a new ticket');
});

test('a client that is not accepted any more is refused when it resumes', async () => {
  const bench = newBench();
  let isWelcome = true;
  const server = await bench.serve(new Workload(reviews).security(() => isWelcome));
  const client = new Workload(ratings).security();
  await bench.visit(server, client);
  isWelcome = false;
  const second = await bench.visit(server, client);
  assert.equal(second.isAnswered, false);
  assert.equal(server.accepted.length, 1);
  assert.equal(second.session?.isResumed, true, 'it is the resumed handshake that was judged');
});

test('a server that is not accepted any more is refused when its session is resumed', async () => {
  const bench = newBench();
  const server = await bench.serve(new Workload(reviews).security());
  let wanted = reviews;
  const client = new Workload(ratings).security((id) => id === wanted);
  assert.equal((await bench.visit(server, client)).isAnswered, true);
  wanted = ratings;
  const second = await bench.visit(server, client);
  assert.equal(second.handler.connects, 0);
  assert.equal(second.handler.error?.kind, 'tls-failed');
});

test('a ticket is void when the root of its holder was removed', async () => {
  const bench = newBench();
  const own = new Workload(reviews);
  own.roots = [firstRoot, secondRoot];
  const server = await bench.serve(own.security());
  const other = new Workload(ratings, secondRoot);
  const client = other.security();
  assert.equal((await bench.visit(server, client)).isAnswered, true);
  assert.equal((await bench.visit(server, client)).session?.isResumed, true);
  own.roots = [firstRoot];
  const refused = await bench.visit(server, client);
  assert.equal(refused.isAnswered, false);
  assert.equal(refused.session?.isResumed, false, 'the handshake was a full one');
  assert.equal(server.accepted.length, 2);
});

test('a session is void for a client that trusts other roots since, or shows another certificate', async () => {
  const bench = newBench();
  const server = await bench.serve(new Workload(reviews).security());
  const workload = new Workload(ratings);
  const client = workload.security();
  await bench.visit(server, client);
  workload.own = makeLeaf(firstRoot, ratings);
  assert.equal((await bench.visit(server, client)).session?.isResumed, false);
  assert.equal((await bench.visit(server, client)).session?.isResumed, true);
  workload.roots = [secondRoot];
  const refused = await bench.visit(server, client);
  assert.equal(refused.handler.connects, 0);
});

test('a session of one cluster is not used for another', async () => {
  const bench = newBench();
  const server = await bench.serve(new Workload(reviews).security());
  const workload = new Workload(ratings);
  await bench.visit(server, workload.security());
  assert.equal((await bench.visit(server, workload.security())).session?.isResumed, false);
});

test('tickets live for the hour of their key and the next; keys depend on secret and scope', () => {
  let hour = 500_000;
  const clock: Clock = { ...systemClock, now: () => hour * hourMs + 17 };
  const secret = Buffer.alloc(32, 7);
  const keys = (scope: string, of = secret): TicketKeys => new TicketKeys({ kind: 'own' }, scope, of, clock);
  const nameOf = (made: TicketAnswer): Buffer => made[3] ?? Buffer.alloc(0);
  const [ours, thread] = [keys('trust 1'), keys('trust 1')];
  const ticket = nameOf(ours.answer(Buffer.alloc(0), true));
  assert.equal(ticket.length, 16);
  assert.deepEqual(thread.answer(ticket, false).slice(1), ours.answer(Buffer.alloc(0), true).slice(1, 3));
  assert.equal(keys('trust 2').answer(ticket, false)[0], 0);
  assert.equal(keys('trust 1', Buffer.alloc(32, 8)).answer(ticket, false)[0], 0);
  hour++;
  assert.equal(ours.answer(ticket, false)[0], 2);
  assert.ok(!nameOf(ours.answer(Buffer.alloc(0), true)).equals(ticket));
  hour++;
  assert.equal(ours.answer(ticket, false)[0], 0);
});

test('keys that are given open the tickets of each other, the first makes them', async () => {
  const key = (byte: number): GivenTicketKey => new GivenTicketKey(Buffer.alloc(80, byte), `${byte}`);
  const bench = newBench();
  const security = new Workload(reviews).security();
  const server = await bench.serve(withTickets(security, { kind: 'given', keys: [key(1), key(2)] }));
  const client = new Workload(ratings).security();
  await bench.visit(server, client);
  assert.equal((await bench.visit(server, client)).session?.isResumed, true);
});

test('nothing is resumed where tickets are switched off, on either side', async () => {
  const bench = newBench();
  const security = new Workload(reviews).security();
  const server = await bench.serve(withTickets(security, { kind: 'none' }));
  const client = new Workload(ratings).security();
  await bench.visit(server, client);
  assert.deepEqual(
    [(await bench.visit(server, client)).isAnswered, (await bench.visit(server, client)).session?.isResumed],
    [true, false],
  );
  const willing = await bench.serve(new Workload(reviews).security());
  const unwilling = { ...new Workload(ratings).security(), maxSessions: 0 };
  await bench.visit(willing, unwilling);
  assert.equal((await bench.visit(willing, unwilling)).session?.isResumed, false);
});
