// The whole data plane in memory on virtual time: a listener, a cluster and the peers on both sides, for tests that put
// many thousands of byte sequences through it and look at every byte that comes out.
import type { Connection, ConnectionHandler } from '@heddle/proxy';
import { NoSubscriber, applyBootstrap, readBootstrap } from '@heddle/proxy/bootstrap/apply';
import { defaultResolverConfiguration } from '@heddle/proxy/dns/resolver-configuration';
import { Loggers } from '@heddle/proxy/loggers';
import { defaultDrain, Proxy } from '@heddle/proxy/stack';
import { InMemoryNetwork, type SimulatedNode, VirtualClock } from '@heddle/testkit';

type Json = Readonly<Record<string, unknown>>;

const listenerPort = 10_000;
const upstreamPort = 8_081;
const loopback = '127.0.0.1';
const ownAddress = '10.0.0.1';
const farAddress = '10.0.0.2';

/** One end of a connection: what has come, one character per byte, and how it ended. */
export class Peer implements ConnectionHandler {
  text = '';
  /** The other side sends no more. */
  hasEnded = false;
  isClosed = false;
  /** Called whenever bytes have come. */
  onBytes: (peer: Peer) => void = () => undefined;
  private connection: Connection | null = null;

  attach(connection: Connection): this {
    this.connection = connection;
    return this;
  }

  send(text: string): void {
    this.connection!.writeLatin1(text);
  }

  end(): void {
    this.connection!.end();
  }

  reset(): void {
    this.connection!.destroy();
  }

  onConnect(): void {
    // Bytes are sent when the test says so.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.text += buffer.toString('latin1', start, end);
    this.onBytes(this);
  }

  onEnd(): void {
    this.hasEnded = true;
    this.connection!.end();
  }

  onDrain(): void {
    // Everything is small here.
  }

  onClose(): void {
    this.isClosed = true;
  }
}

export interface MemoryProxyOptions {
  /** Fields of the HTTP connection manager. */
  readonly manager?: Json;
  /** Fields of the one route's action. */
  readonly action?: Json;
  /** Fields of the cluster. */
  readonly cluster?: Json;
}

export class MemoryProxy {
  readonly proxy: Proxy;
  /** Connections that the upstream has accepted, in order. */
  upstream: Peer[] = [];
  /** What the upstream does with the bytes of each connection. */
  serve: (peer: Peer) => void = () => undefined;
  private readonly clock: VirtualClock;
  private readonly network: InMemoryNetwork;
  private readonly node: SimulatedNode;

  private constructor(proxy: Proxy, clock: VirtualClock, network: InMemoryNetwork, node: SimulatedNode) {
    this.proxy = proxy;
    this.clock = clock;
    this.network = network;
    this.node = node;
  }

  static async start(options: MemoryProxyOptions = {}): Promise<MemoryProxy> {
    const clock = new VirtualClock();
    const network = new InMemoryNetwork({ clock, seed: 1, latencyMs: 0, jitterMs: 0, splitReads: false });
    const node = network.addNode({ name: 'proxy', addresses: [ownAddress] });
    const subscriber = new NoSubscriber();
    const failures: unknown[] = [];
    let isCommitted = false;
    const proxy = new Proxy({
      transport: node,
      dns: { datagrams: node, listens: true, configuration: () => defaultResolverConfiguration },
      clock,
      random: node.random,
      loggers: new Loggers('off'),
      drain: defaultDrain,
      secrets: { certificate: () => null, trustBundle: () => null },
      workload: null,
      subscriber,
      onTrustBundleChanged: () => undefined,
      onListenFailed: (error) => failures.push(error),
      onCommitted: () => {
        isCommitted = true;
      },
    });
    const source = { file: 'bootstrap.json', value: bootstrap(options), locate: () => null };
    const config = readBootstrap(source);
    if (!config.ok) throw new Error(JSON.stringify(config.error));
    const problems = applyBootstrap(config.value, proxy.config, subscriber, source);
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    await clock.runUntil(() => isCommitted);
    if (failures.length > 0) throw failures[0];
    const memory = new MemoryProxy(proxy, clock, network, node);
    await node.listen({ address: { host: loopback, port: upstreamPort }, security: null }, (connection) => {
      const peer = new Peer().attach(connection);
      peer.onBytes = (one) => memory.serve(one);
      memory.upstream.push(peer);
      return peer;
    });
    return memory;
  }

  /** Opens a client's connection. */
  connect(): Peer {
    const peer = new Peer();
    const address = { host: loopback, port: listenerPort };
    peer.attach(this.node.connect({ address, security: null, timeoutMs: 1000 }, peer));
    this.run();
    return peer;
  }

  /** Opens a connection from another machine, which `vanish` takes off the network. */
  connectFromAfar(): Peer {
    const machine =
      this.network.find(farAddress) ?? this.network.addNode({ name: 'far', addresses: [farAddress] });
    const peer = new Peer();
    const address = { host: ownAddress, port: listenerPort };
    peer.attach(machine.connect({ address, security: null, timeoutMs: 1000 }, peer));
    this.run();
    return peer;
  }

  /** From now on nothing comes from the other machine or reaches it, no FIN and no reset either. */
  vanish(): void {
    this.network.block('proxy', 'far');
  }

  /** The other machine is back, with all that was under way. */
  comeBack(): void {
    this.network.unblock('proxy', 'far');
  }

  /** Lets everything that is under way arrive, and `ms` pass. */
  run(ms = 1): void {
    this.clock.advance(ms);
  }

  /** The sum of all series of a metric that have a value other than 0, such as `envoy_cluster_upstream_rq_active`. */
  metric(name: string): number {
    const family = this.proxy.registry.collect().find((one) => one.name === name);
    if (family === undefined || family.type === 'histogram') throw new Error(`there is no metric ${name}`);
    return family.samples.reduce((sum, { value }) => sum + value, 0);
  }

  /** Drops all of the upstream's connections and forgets them. */
  forget(): void {
    for (const peer of this.upstream) if (!peer.isClosed) peer.reset();
    this.upstream = [];
    this.run();
  }

  close(): Promise<void> {
    return this.proxy.close();
  }
}

function bootstrap({ manager, action, cluster }: MemoryProxyOptions): Json {
  const at = (port: number, address = loopback): Json => ({ socket_address: { address, port_value: port } });
  const type = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;
  return {
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: at(listenerPort, '0.0.0.0'),
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
                    stat_prefix: 'in',
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [{ match: { prefix: '/' }, route: { cluster: 'be', ...action } }],
                        },
                      ],
                    },
                    http_filters: [
                      {
                        name: 'envoy.filters.http.router',
                        typed_config: { '@type': type('http.router.v3.Router') },
                      },
                    ],
                    ...manager,
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
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at(upstreamPort) } }] }],
          },
          ...cluster,
        },
      ],
    },
  };
}
