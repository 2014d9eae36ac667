// One sidecar of a measurement: `sidecar WAY XDS_PORT`. Prints its port, then a line of JSON for each line it is given.
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { systemClock } from '@heddle/base';
import type { ResourceSink } from '@heddle/xds';
import { ForwardingSink, SlicedCompiler } from './batching.ts';
import type { Ask, Batch, Report } from './messages.ts';
import { createStore, createXdsClient, startMovingBytes } from './roles.ts';
import { type Stalls, StallMeter } from './stall-meter.ts';

/** What the measurement asks of a sidecar. */
interface Sidecar {
  state(): Promise<{ readonly resources: number; readonly stalls: Stalls }>;
  start(): void;
}

const moving = (port: number): void => console.log(`port ${port}`);

/** Everything on one thread; slices of `sliceMs`. */
function oneThread(xdsPort: number, sliceMs: number): Sidecar {
  const meter = new StallMeter();
  let resources = 0;
  const store = createStore({
    subscribe: (typeUrl, names) => client.subscribe(typeUrl, names),
    unsubscribe: (typeUrl, names) => client.unsubscribe(typeUrl, names),
  });
  const sink: ResourceSink = {
    apply: (typeUrl, resource) => {
      resources++;
      return store.apply(typeUrl, resource);
    },
    *applySteps(typeUrl, resource) {
      const reason = yield* store.applySteps(typeUrl, resource);
      resources++;
      return reason;
    },
    remove: (typeUrl, name) => store.remove(typeUrl, name),
    commit: (typeUrl) => store.commit(typeUrl),
  };
  const client = createXdsClient(xdsPort, sink, sliceMs, () => undefined);
  startMovingBytes(moving);
  meter.start();
  return {
    start: () => client.start(),
    state: () => Promise.resolve({ resources, stalls: meter.take() }),
  };
}

/** A worker talks xDS; this thread compiles and moves bytes. */
function workerTalksXds(xdsPort: number): Sidecar {
  const meter = new StallMeter();
  let worker: Worker | null = null;
  const ask = (kind: Ask['kind'], typeUrl: string, names: Iterable<string>): void =>
    worker?.postMessage({ kind, typeUrl, names: [...names] } satisfies Ask);
  const compiler = new SlicedCompiler(
    createStore({
      subscribe: (typeUrl, names) => ask('subscribe', typeUrl, names),
      unsubscribe: (typeUrl, names) => ask('unsubscribe', typeUrl, names),
    }),
  );
  startMovingBytes(moving);
  meter.start();
  return {
    start: () => {
      worker = new Worker(new URL('./xds-worker.ts', import.meta.url), { workerData: xdsPort });
      worker.on('message', (batch: Batch) => compiler.push(batch));
    },
    state: () => Promise.resolve({ resources: compiler.compiled, stalls: meter.take() }),
  };
}

/** A worker compiles and moves bytes; this thread talks xDS. */
function workerMovesBytes(xdsPort: number): Sidecar {
  const worker = new Worker(new URL('./bytes-worker.ts', import.meta.url));
  const sink = new ForwardingSink((batch) => worker.postMessage(batch));
  const client = createXdsClient(xdsPort, sink, 1, () => undefined);
  let resources = 0;
  let answer: ((stalls: Stalls) => void) | null = null;
  worker.on('message', (message: Ask | Report) => {
    switch (message.kind) {
      case 'subscribe':
        client.subscribe(message.typeUrl, message.names);
        break;
      case 'unsubscribe':
        client.unsubscribe(message.typeUrl, message.names);
        break;
      case 'moving':
        moving(message.port);
        break;
      case 'compiled':
        resources = message.resources;
        break;
      case 'stalls':
        answer?.(message.stalls);
        break;
    }
  });
  return {
    start: () => client.start(),
    state: async () => {
      const { promise, resolve } = Promise.withResolvers<Stalls>();
      answer = resolve;
      worker.postMessage({ kind: 'take-stalls' });
      const stalls = await promise;
      return { resources, stalls };
    },
  };
}

const [way = '', xdsPort = ''] = process.argv.slice(2);
const ways: Readonly<Record<string, (port: number) => Sidecar>> = {
  sliced: (port) => oneThread(port, 1),
  unsliced: (port) => oneThread(port, Infinity),
  'worker-xds': workerTalksXds,
  'worker-bytes': workerMovesBytes,
};
const sidecar = ways[way]!(Number(xdsPort));
let started = systemClock.monotonic();
createInterface(process.stdin)
  .on('line', (line) => {
    if (line === 'start') {
      started = systemClock.monotonic();
      sidecar.start();
    } else {
      void sidecar.state().then((state) => {
        console.log(JSON.stringify({ ...state, elapsedMs: systemClock.monotonic() - started }));
      });
    }
  })
  .on('close', () => process.exit());
