// A worker thread's program: moves bytes as the main thread does, on the same ports, with the same resources.
import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, errorMessage, invariant, systemClock, systemRandom } from '@heddle/base';
import { Loggers } from '../stack/loggers.ts';
import { Proxy } from '../stack/proxy.ts';
import { NodeDatagrams } from '../transport/node/node-datagrams.ts';
import { systemDns } from '../dns/system-dns.ts';
import { openTransport } from '../transport/open-transport.ts';
import { DescriptorLedger } from '../transport/sys/descriptor-ledger.ts';
import { clusterStatusOf } from './cluster-status.ts';
import { CommandQueue } from './command-queue.ts';
import { collectFamilies } from './proxy-threads.ts';
import { SharedCounts } from './shared-counts.ts';
import { WorkerSockets } from './shared-sockets.ts';
import { executeInSteps } from './thread-command.ts';
import type { FromWorker, ToWorker, WorkerQuestion, WorkerStart } from './worker-messages.ts';
import { ReceivedSecrets } from './worker-secrets.ts';

invariant(parentPort !== null, 'this program runs on a worker thread');
const port = parentPort;
// Put there by the pool that started this thread.
const settings = workerData as WorkerStart;
const loggers = new Loggers(settings.logLevel, settings.logFields);
const sockets = new WorkerSockets();
const secrets = new ReceivedSecrets(loggers.get('main'));
const transport = openTransport(
  systemClock,
  loggers.get('connection'),
  { sockets, ticketSecret: Buffer.from(settings.ticketSecret) },
  new DescriptorLedger(settings.descriptors),
);
const queue = new CommandQueue(systemClock);
const whenSettled: (() => void)[] = [];

const proxy = new Proxy({
  dns: systemDns(systemClock, new NodeDatagrams(), false),
  transport,
  clock: systemClock,
  random: systemRandom,
  loggers,
  drain: settings.drain,
  secrets,
  workload: settings.workload,
  viaName: settings.viaName,
  limits: settings.limits,
  listensWhenWarm: settings.listensWhenWarm,
  counts: new SharedCounts(settings.counts, settings.threads, settings.thread),
  // The main thread subscribes for all.
  subscriber: { subscribe: () => undefined, unsubscribe: () => undefined },
  onTrustBundleChanged: () => undefined,
  onListenFailed: (error) =>
    loggers.get('listener').error('A worker thread cannot listen', { reason: errorMessage(error) }),
  onCommitted: () => {
    for (const resolve of whenSettled.splice(0)) resolve();
  },
});

function settled(): Promise<null> {
  if (proxy.isSettled) return Promise.resolve(null);
  return new Promise((resolve) => {
    whenSettled.push(() => resolve(null));
  });
}

async function answer(question: WorkerQuestion): Promise<unknown> {
  switch (question.about) {
    case 'families':
      return collectFamilies(proxy);
    case 'clusters':
      return clusterStatusOf(proxy);
    case 'sockets':
      // Handles are those of this thread's event loop.
      return transport.openSockets().map(({ address, descriptor }) => ({ address, descriptor }));
    case 'settled':
      return await settled();
    case 'drain':
      return await proxy.listeners.drain(question.timeoutMs);
    case 'departure':
      return await proxy.departure(question.timeoutMs);
    case 'close':
      await proxy.close();
      return null;
    default:
      return assertNever(question);
  }
}

async function reply(id: number, question: WorkerQuestion): Promise<void> {
  const message: FromWorker = { id, value: await answer(question) };
  port.postMessage(message);
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'run':
      queue.push(() => executeInSteps(message.command, proxy, loggers));
      break;
    case 'bound':
      // Behind the resources that came before: a port without its routes would answer 404.
      queue.push(() => sockets.take(message.bound));
      break;
    case 'secrets':
      secrets.replace(message.secrets);
      break;
    case 'ask':
      queue.push(() => void reply(message.id, message.question));
      break;
  }
});
