// For tests of listeners: a client, a proxy and a backend, in memory with virtual time or on loopback sockets.
import type { TestContext } from 'node:test';
import { type Clock, type Random, silentLogger, systemClock, systemRandom } from '@heddle/base';
import { InMemoryNetwork, RecordingHandler, VirtualClock, eventually } from '@heddle/testkit';
import type { OriginalDestinationProvider } from '../interception/original-destination.ts';
import { openTransport } from '../transport/open-transport.ts';
import type { Connection, Listener, Transport } from '../transport/transport.ts';
import { type DrainOptions, defaultDrain } from '../stack/proxy.ts';
import { type ConnectionLimits, noConnectionLimits } from './connection-admission.ts';
import { ConfiguredProxy } from './test-proxy.ts';

/** One end of a connection with what it was told. */
export interface End {
  readonly connection: Connection;
  readonly handler: RecordingHandler;
}

/** A backend that records what it gets. */
export interface Backend {
  readonly port: number;
  readonly accepted: readonly End[];
}

/** A client, a proxy and a backend. */
export class World {
  readonly proxy: ConfiguredProxy;
  /** Where the proxy listens and the backends are. */
  readonly proxyHost: string;
  readonly serverHost: string;
  /** Null where time is real. */
  readonly virtual: VirtualClock | null;
  private readonly client: Transport;
  private readonly server: Transport;
  private readonly backends: Listener[] = [];
  private readonly ends: Connection[] = [];

  constructor(options: {
    readonly client: Transport;
    readonly proxy: Transport;
    readonly server: Transport;
    readonly proxyHost: string;
    readonly serverHost: string;
    readonly clock: Clock;
    readonly random: Random;
    readonly virtual: VirtualClock | null;
    readonly originalDestinations: OriginalDestinationProvider;
    readonly limits: ConnectionLimits;
    readonly drain: DrainOptions;
  }) {
    this.client = options.client;
    this.server = options.server;
    this.proxyHost = options.proxyHost;
    this.serverHost = options.serverHost;
    this.virtual = options.virtual;
    const { clock, random, originalDestinations, limits, drain } = options;
    this.proxy = new ConfiguredProxy({
      transport: options.proxy,
      clock,
      random,
      originalDestinations: () => originalDestinations,
      limits,
      drain,
    });
  }

  /** Lets time pass until `condition` holds; fails where it never does. */
  until(what: string, condition: () => boolean): Promise<void> {
    if (this.virtual !== null) return this.virtual.runUntil(condition);
    return eventually(what, condition, 5000, 1);
  }

  /** Starts a backend; `greet` is called with each accepted end. */
  async backend(greet: (end: End) => void = () => undefined): Promise<Backend> {
    const accepted: End[] = [];
    const address = { host: this.serverHost, port: 0 };
    const listener = await this.server.listen({ address, security: null }, (connection) => {
      const end = { connection, handler: new RecordingHandler() };
      accepted.push(end);
      greet(end);
      return end.handler;
    });
    this.backends.push(listener);
    return { port: portOf(listener), accepted };
  }

  /** A port at which nothing listens. */
  async deadPort(): Promise<number> {
    const address = { host: this.serverHost, port: 0 };
    const listener = await this.server.listen({ address, security: null }, () => new RecordingHandler());
    await listener.close();
    return portOf(listener);
  }

  /** Connects to one of the proxy's listeners. */
  connect(port: number, host = this.proxyHost): End {
    const handler = new RecordingHandler();
    const connection = this.client.connect(
      { address: { host, port }, security: null, timeoutMs: 5000 },
      handler,
    );
    this.ends.push(connection);
    return { connection, handler };
  }

  /** Idempotent; called when the test has ended. */
  async close(): Promise<void> {
    for (const end of this.ends) end.destroy();
    for (const backend of this.backends) await backend.close();
    await this.proxy.close();
  }
}

function portOf(listener: Listener): number {
  return (listener.address as { readonly port: number }).port;
}

/** In memory, with virtual time; the seed decides where reads are cut. */
export function virtualWorld(
  test: TestContext,
  seed = 1,
  originalDestinations?: OriginalDestinationProvider,
  limits = noConnectionLimits,
  drain = defaultDrain,
): World {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed });
  const [clientHost, proxyHost, serverHost] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
  const proxy = network.addNode({ name: 'proxy', addresses: [proxyHost] });
  const world = new World({
    client: network.addNode({ name: 'client', addresses: [clientHost] }),
    proxy,
    server: network.addNode({ name: 'server', addresses: [serverHost] }),
    proxyHost,
    serverHost,
    clock: proxy.clock,
    random: proxy.random,
    virtual: clock,
    originalDestinations: originalDestinations ?? { lookup: () => null },
    limits,
    drain,
  });
  test.after(() => world.close());
  return world;
}

/** On loopback sockets, with real time. */
export function socketWorld(test: TestContext, limits = noConnectionLimits): World {
  const transport = openTransport(systemClock, silentLogger);
  const host = '127.0.0.1';
  const world = new World({
    client: transport,
    proxy: transport,
    server: transport,
    proxyHost: host,
    serverHost: host,
    clock: systemClock,
    random: systemRandom,
    virtual: null,
    originalDestinations: { lookup: () => null },
    limits,
    drain: defaultDrain,
  });
  test.after(() => world.close());
  return world;
}

/** By name. */
export const worlds: readonly (readonly [string, (test: TestContext, limits?: ConnectionLimits) => World])[] =
  [
    ['in memory', (test, limits) => virtualWorld(test, 1, undefined, limits)],
    ['sockets', socketWorld],
  ];
