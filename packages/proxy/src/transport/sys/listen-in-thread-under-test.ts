// A thread that listens, accepts, and never ends by itself.
import { parentPort, workerData } from 'node:worker_threads';
import { silentLogger, systemClock } from '@heddle/base';
import { openTransport } from '../open-transport.ts';
import { DescriptorLedger } from './descriptor-ledger.ts';

const ledger = new DescriptorLedger(workerData as SharedArrayBuffer);
const transport = openTransport(systemClock, silentLogger, {}, ledger);
const listener = await transport.listen({ address: { host: '127.0.0.1', port: 0 }, security: null }, () => {
  parentPort!.postMessage('accepted');
  return {
    onConnect: () => undefined,
    onData: () => {
      throw new Error('the connection alone ends');
    },
    onEnd: () => undefined,
    onDrain: () => undefined,
    onClose: () => undefined,
  };
});
parentPort!.postMessage(listener.address);
