// A caller that has confirmed a withdrawal may have sent a request just before. Here the network holds it back until the
// instance knows that it is withdrawn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Echo } from './support/echo-application.ts';
import type { HttpReply } from './support/http-client.ts';
import { SimulatedMesh } from './support/simulated-mesh.ts';
import { ports } from './support/topology.ts';

const leaving = 'a-v1-1';
const caller = 'b-v1-1';

async function startMesh(): Promise<SimulatedMesh> {
  const mesh = new SimulatedMesh(1, ({ id }) => [leaving, 'a-v1-2', caller].includes(id));
  await mesh.controlPlane.start();
  for (const workload of mesh.workloads) mesh.start(workload);
  await mesh.until('all is known', () => mesh.isComplete, 10_000);
  return mesh;
}

/** As many requests at once as there are instances: each gets one. They must not be repeated, since they are POSTs. */
function callBoth(mesh: SimulatedMesh, delayMs = 0): HttpReply[] {
  const replies: HttpReply[] = [];
  for (let index = 0; index < 2; index++) {
    const request = {
      port: ports.outboundProxy,
      method: 'POST',
      target: `http://a.default:9080/?delay=${delayMs}`,
      headers: { host: 'a.default:9080' },
      body: Buffer.from('order'),
      isChunked: false,
    } as const;
    mesh.workload(caller).client!.send(request, (reply) => replies.push(reply));
  }
  return replies;
}

async function withdrawWhileHeldBack(mesh: SimulatedMesh): Promise<HttpReply[]> {
  mesh.network.block(caller, leaving);
  const replies = callBoth(mesh);
  await mesh.clock.advanceAsync(20);
  let isWithdrawn = false;
  const requestsLeft = mesh.workload(leaving).stop((isAcknowledged) => {
    isWithdrawn = isAcknowledged;
  });
  await mesh.until('the withdrawal is confirmed', () => isWithdrawn, 1000);
  await mesh.clock.advanceAsync(20);
  mesh.network.unblock(caller, leaving);
  await mesh.clock.advanceAsync(2000);
  assert.equal(await requestsLeft, 0);
  return replies;
}

function assertBothAnswered(replies: readonly HttpReply[]): void {
  const answers = replies.map(({ status, echo, body, failure }) =>
    status === 200 ? (JSON.parse(echo) as Echo).instance : `${status} ${failure} ${body.toString()}`,
  );
  assert.deepEqual(answers.toSorted(), ['a-v1-1', 'a-v1-2']);
}

test('a request that was sent on a kept connection before the withdrawal is answered after it', async () => {
  const mesh = await startMesh();
  const before = callBoth(mesh);
  await mesh.clock.advanceAsync(100);
  assertBothAnswered(before);
  assertBothAnswered(await withdrawWhileHeldBack(mesh));
});

test('a request whose connection was being made before the withdrawal is answered after it', async () => {
  assertBothAnswered(await withdrawWhileHeldBack(await startMesh()));
});

test('a request that runs when its instance is withdrawn is answered, and then the instance may end', async () => {
  const mesh = await startMesh();
  const startMs = mesh.nowMs;
  const replies = callBoth(mesh, 1500);
  await mesh.clock.advanceAsync(50);
  let endMs = NaN;
  void mesh
    .workload(leaving)
    .stop(() => undefined)
    .then(() => {
      endMs = mesh.nowMs;
    });
  await mesh.until('the instance may end', () => !Number.isNaN(endMs), 3000);
  assertBothAnswered(replies);
  assert.ok(endMs - startMs >= 1500 && endMs - startMs < 1600, `after ${endMs - startMs} ms`);
});
