// A worker that moves bytes and compiles what the main thread passes on.
import { parentPort } from 'node:worker_threads';
import { SlicedCompiler } from './batching.ts';
import type { Ask, Batch, Report, Request } from './messages.ts';
import { createStore, startMovingBytes } from './roles.ts';
import { StallMeter } from './stall-meter.ts';

const port = parentPort!;
const meter = new StallMeter();
const ask = (kind: Ask['kind'], typeUrl: string, names: Iterable<string>): void =>
  port.postMessage({ kind, typeUrl, names: [...names] } satisfies Ask);
const compiler = new SlicedCompiler(
  createStore({
    subscribe: (typeUrl, names) => ask('subscribe', typeUrl, names),
    unsubscribe: (typeUrl, names) => ask('unsubscribe', typeUrl, names),
  }),
);
const report = (message: Report): void => port.postMessage(message);
port.on('message', (message: Batch | Request) => {
  if (message.kind === 'batch') compiler.push(message);
  else {
    report({ kind: 'compiled', resources: compiler.compiled, busy: compiler.isBusy });
    report({ kind: 'stalls', stalls: meter.take() });
  }
});
startMovingBytes((listening) => report({ kind: 'moving', port: listening }));
meter.start();
