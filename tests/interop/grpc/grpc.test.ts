// gRPC clients of others, a gRPC server of others, and what lies between them: all of it must look as if nothing did.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { skipWithout } from '@heddle/testkit';
import { type Case, cases, type Outcome } from './scenarios.ts';
import { clients } from './support/clients.ts';
import { EchoServer } from './support/echo-server.ts';
import { ways } from './support/ways.ts';

/** What matters of an outcome, beside what it should be. */
function compared(one: Case, outcome: Outcome): [object, object] {
  const keys = Object.keys(one.expected) as (keyof Case['expected'])[];
  const actual = Object.fromEntries(keys.map((key) => [key, outcome[key]]));
  return [
    { name: outcome.name, ...actual },
    { name: one.name, ...one.expected },
  ];
}

/** A deadline comes to the server as what is left of it; some clients round it up by a little. */
function checkDeadline({ name, deadlineMs: told }: Outcome, deadlineMs: number): void {
  if (told === '') return;
  if (deadlineMs === 0) assert.equal(told, 'none', name);
  else assert.ok(Number(told) > deadlineMs / 2 && Number(told) <= deadlineMs * 1.02, `${name}: ${told}`);
}

for (const way of ways) {
  describe(way.name, () => {
    for (const client of clients) {
      const skip = skipWithout({ ...way.needs, ...client.needs });
      test(`${client.name} gets what the server gives`, { skip }, async () => {
        await using server = await EchoServer.start();
        await using open = await way.open(server.port);
        const outcomes = await client.call(open.port, cases);
        for (const [index, one] of cases.entries()) assert.deepEqual(...compared(one, outcomes[index]!));
        await server.untilCancelled(cases.filter((one) => one.isCancelled).length);
        for (const [index, { deadlineMs }] of cases.entries()) checkDeadline(outcomes[index]!, deadlineMs);
      });
    }
  });
}
