// A worker that talks xDS: receives, decodes, passes encoded resources on.
import { parentPort, workerData } from 'node:worker_threads';
import { ForwardingSink } from './batching.ts';
import type { Ask } from './messages.ts';
import { createXdsClient } from './roles.ts';

const port = parentPort!;
const client = createXdsClient(
  workerData as number,
  new ForwardingSink((batch) => port.postMessage(batch)),
  1,
  () => undefined,
);
port.on('message', ({ kind, typeUrl, names }: Ask) => {
  if (kind === 'subscribe') client.subscribe(typeUrl, names);
  else client.unsubscribe(typeUrl, names);
});
client.start();
