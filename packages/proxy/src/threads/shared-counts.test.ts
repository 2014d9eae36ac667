import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { allocateCounts, SharedCounts } from './shared-counts.ts';

const threads = 3;

/** A thread that takes one where there is none and gives it back, many times, and ends with what it holds. */
const program = `
  import { workerData, parentPort } from 'node:worker_threads';
  const { SharedCounts } = await import(workerData.module);
  const counts = new SharedCounts(workerData.memory, ${threads}, workerData.thread);
  const names = Array.from({ length: 50 }, (_, index) => counts.open('name ' + index));
  for (let round = 0; round < 20_000; round++) {
    const count = names[round % names.length];
    if (count.tryAdd(1)) count.remove();
  }
  for (const count of names) count.add();
  parentPort.postMessage('done');
`;

test('threads that count at the same time lose nothing and find the same names', async () => {
  const memory = allocateCounts(threads);
  const counts = new SharedCounts(memory, threads, 0);
  const module = new URL('./shared-counts.ts', import.meta.url).href;
  const workers = [1, 2].map(
    (thread) =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
        workerData: { module, memory, thread },
      }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await Promise.all(workers.map((worker) => worker.terminate()));
  for (let index = 0; index < 50; index++) assert.equal(counts.open(`name ${index}`).value, 2);
});
