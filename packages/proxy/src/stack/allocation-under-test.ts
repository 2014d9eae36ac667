// Counts what the data plane, as it is configured for the comparison with its peers, allocates for a request. A program of
// its own, since it must own its heap: run with --expose-gc and a young generation that holds all requests without a
// collection. Prints one line of JSON. With the argument `sites` it prints where the bytes come from.
import { Session } from 'node:inspector/promises';
import { GCProfiler } from 'node:v8';
import { invariant, systemClock, systemRandom } from '@heddle/base';
import { NoSubscriber, applyBootstrap, readBootstrap } from '../bootstrap/bootstrap.ts';
import { defaultResolverConfiguration } from '../dns/resolver-configuration.ts';
import type { DatagramSocket, DatagramTransport } from '../transport/datagrams.ts';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  ListenOptions,
  Listener,
  Transport,
} from '../transport/transport.ts';
import { Loggers } from './loggers.ts';
import { Proxy, defaultDrain } from './proxy.ts';

const requests = 20_000;
const sampledRequests = 2_000;
const loopback = '127.0.0.1';
const request = Buffer.from(
  'GET /api/v1/items?page=2 HTTP/1.1\r\nHost: reviews:9080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n',
);
const response = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\nDate: Sat, 21 Nov 2026 14:42:56 GMT\r\n\r\n${'x'.repeat(128)}`,
);

/** A connection whose peer is the loop below: what is written is flattened into one buffer, as for a socket. */
class LoopConnection implements Connection {
  readonly peerIdentity = '';
  readonly peerFingerprint = '';
  readonly tls = null;
  readonly remoteAddress = loopback;
  readonly remotePort = 40_000;
  readonly localAddress = loopback;
  readonly localPort = 10_000;
  readonly originalDestination = null;
  readonly directRemoteAddress = loopback;
  readonly directRemotePort = 40_000;
  readonly fileDescriptor = -1;
  upstreamSource = null;
  inspectedServerName = '';
  handler: ConnectionHandler | null = null;
  written = 0;
  private readonly out = Buffer.alloc(65_536);

  write(buffer: Buffer, start: number, end: number): boolean {
    buffer.copy(this.out, 0, start, end);
    this.written += end - start;
    return true;
  }

  writeLatin1(text: string): boolean {
    this.out.write(text, 'latin1');
    this.written += text.length;
    return true;
  }

  writeHeadAndBody(text: string, buffer: Buffer, start: number, end: number): boolean {
    this.out.write(text, 'latin1');
    buffer.copy(this.out, text.length, start, end);
    this.written += text.length + end - start;
    return true;
  }

  end(): void {
    // Nothing ends here.
  }

  reset(): void {}
  destroy(): void {
    // Nothing ends here.
  }

  pauseReading(): void {
    // What is read was asked for.
  }

  resumeReading(): void {
    // See above.
  }

  overrideAddresses(): void {
    // Nobody does.
  }

  setHandler(handler: ConnectionHandler): void {
    this.handler = handler;
  }
}

/** One listener and one upstream connection. */
class LoopTransport implements Transport, DatagramTransport {
  readonly ownAddress = '';
  readonly client = new LoopConnection();
  readonly upstream = new LoopConnection();
  private accept: AcceptHandler | null = null;

  listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    this.accept = accept;
    return Promise.resolve({ address: options.address, close: () => Promise.resolve() } as Listener);
  }

  connect(_options: ConnectOptions, handler: ConnectionHandler): Connection {
    this.upstream.handler = handler;
    setImmediate(() => handler.onConnect());
    return this.upstream;
  }

  openDatagrams(): Promise<DatagramSocket> {
    return Promise.reject(new Error('no name is asked for here'));
  }

  secure(): void {
    throw new Error('nothing is secured here');
  }

  open(): void {
    this.client.handler = this.accept!(this.client);
  }
}

function bootstrap(): object {
  const at = (port: number): object => ({ socket_address: { address: loopback, port_value: port } });
  const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
  const log = {
    name: 'envoy.access_loggers.file',
    filter: {
      runtime_filter: {
        runtime_key: 'log',
        percent_sampled: { numerator: 1, denominator: 'HUNDRED' },
      },
    },
    typed_config: { '@type': type('access_loggers.file.v3.FileAccessLog'), path: '/dev/null' },
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: at(10_000),
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
                    stat_prefix: 'in',
                    generate_request_id: true,
                    access_log: [log],
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [{ match: { prefix: '/' }, route: { cluster: 'be' } }],
                        },
                      ],
                    },
                    http_filters: [
                      {
                        name: 'envoy.filters.http.router',
                        typed_config: { '@type': type('filters.http.router.v3.Router') },
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'be',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'be',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at(9000) } }] }],
          },
        },
      ],
    },
  };
}

async function start(transport: LoopTransport): Promise<Proxy> {
  const committed = Promise.withResolvers<void>();
  const subscriber = new NoSubscriber();
  const proxy = new Proxy({
    transport,
    clock: systemClock,
    random: systemRandom,
    loggers: new Loggers('off'),
    drain: defaultDrain,
    dns: { datagrams: transport, listens: true, configuration: () => defaultResolverConfiguration },
    secrets: { certificate: () => null, trustBundle: () => null },
    workload: null,
    subscriber,
    onTrustBundleChanged: () => undefined,
    onListenFailed: committed.reject,
    onCommitted: committed.resolve,
  });
  const source = { file: 'bootstrap.json', value: bootstrap(), locate: () => null };
  const config = readBootstrap(source);
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const problems = applyBootstrap(config.value, proxy.config, subscriber, source);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  await committed.promise;
  return proxy;
}

function exchange({ client, upstream }: LoopTransport, count: number): void {
  for (let i = 0; i < count; i++) {
    client.handler!.onData(request, 0, request.length);
    upstream.handler!.onData(response, 0, response.length);
  }
}

interface SampledNode {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly children: readonly SampledNode[];
}

/** Bytes per request by the place that allocates them, largest first. */
function sites(node: SampledNode, bytes = new Map<string, number>()): Map<string, number> {
  const { functionName, url, lineNumber } = node.callFrame;
  const place = `${functionName} ${url.split('/').at(-1)}:${lineNumber + 1}`;
  bytes.set(place, (bytes.get(place) ?? 0) + node.selfSize / sampledRequests);
  for (const child of node.children) sites(child, bytes);
  return bytes;
}

const transport = new LoopTransport();
const proxy = await start(transport);
await new Promise((resolve) => setImmediate(resolve));
transport.open();
transport.client.handler!.onData(request, 0, request.length);
// The first request waits for its connection.
await new Promise((resolve) => setImmediate(resolve));
transport.upstream.handler!.onData(response, 0, response.length);
// Until everything is compiled as well as it ever will be.
for (let round = 0; round < 20; round++) exchange(transport, requests / 5);

const collector = globalThis.gc;
invariant(collector !== undefined, 'run with --expose-gc');
collector();
const collections = new GCProfiler();
collections.start();
const before = process.memoryUsage().heapUsed;
exchange(transport, requests);
const bytesPerRequest = (process.memoryUsage().heapUsed - before) / requests;
const { statistics } = collections.stop();

const session = new Session();
session.connect();
await session.post('HeapProfiler.startSampling', {
  samplingInterval: 1,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
} as object);
exchange(transport, sampledRequests);
const { profile } = await session.post('HeapProfiler.stopSampling');
const { samples } = profile as typeof profile & { readonly samples: readonly unknown[] };
const objectsPerRequest = samples.length / sampledRequests;
if (process.argv[2] === 'sites') {
  const found = [...sites(profile.head)].filter(([, bytes]) => bytes >= 1).sort((a, b) => b[1] - a[1]);
  for (const [place, bytes] of found) process.stdout.write(`${bytes.toFixed(0).padStart(6)}  ${place}\n`);
}
process.stdout.write(
  `${JSON.stringify({
    bytesPerRequest: Math.round(bytesPerRequest),
    objectsPerRequest: Number(objectsPerRequest.toFixed(1)),
    collections: statistics.length,
    written: transport.client.written,
  })}\n`,
);
await proxy.close();
process.exit(0);
