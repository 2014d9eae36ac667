import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { TcpAddress } from '../transport.ts';
import { closeLeftOpen } from './close-left-open.ts';
import { DescriptorLedger } from './descriptor-ledger.ts';
import { openEngine } from './sys-transport.ts';

const engine = openEngine();
const skip = typeof engine === 'string' ? engine : false;

test('what a thread has open is closed after it was ended in the midst of things', { skip }, async () => {
  const ledger = new DescriptorLedger();
  const worker = new Worker(new URL('./listen-in-thread-under-test.ts', import.meta.url), {
    workerData: ledger.memory,
  });
  const [address] = (await once(worker, 'message')) as [TcpAddress];
  const client = connect(address.port, address.host);
  client.resume();
  await once(worker, 'message');
  assert.equal(ledger.list().length, 2);
  await worker.terminate();
  const closed = once(client, 'close');
  closeLeftOpen(ledger);
  await closed;
  assert.deepEqual(ledger.list(), []);
  const refused = connect(address.port, address.host);
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
});

test('a ledger knows each descriptor that was added and not removed', () => {
  const ledger = new DescriptorLedger();
  for (const descriptor of [0, 31, 32, 63, 1000, 70_000]) ledger.add(descriptor);
  ledger.remove(31);
  ledger.remove(1000);
  assert.deepEqual(new DescriptorLedger(ledger.memory).list(), [0, 32, 63, 70_000]);
});
