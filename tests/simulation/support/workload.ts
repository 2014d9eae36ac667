// One instance of a service on a node of its own: application, production sidecar, and what outlives their process.
import type { Clock, Logger, Timer } from '@heddle/base';
import { type ConfigurationSource, Sidecar } from '@heddle/proxy/sidecar';
import {
  createInMemoryRpcClient,
  type InMemoryNetwork,
  type SeededRandom,
  type SimulatedNode,
} from '@heddle/testkit';
import { type ConfigurationSnapshot, decodeSnapshot, encodeSnapshot } from '@heddle/xds/snapshot';
import { configurationDigest } from './configuration-digest.ts';
import { EchoApplication } from './echo-application.ts';
import { HttpClient } from './http-client.ts';
import { defaultResolverConfiguration } from '@heddle/proxy/dns/resolver-configuration';
import { observeConnects } from './observed-transport.ts';
import { controlPlaneAddress, type InstancePlan, ports, spiffeIdOf } from './topology.ts';

export interface WorkloadEnvironment {
  readonly network: InMemoryNetwork;
  /** Draws what applications do; each instance takes a fork of its own. */
  readonly random: SeededRandom;
  /** For the lines of one process, which ends with `node`. */
  logger(node: SimulatedNode): Logger;
  /** The sidecar of `from` connects to another address than its own node's. */
  onConnect(from: string, to: string): void;
}

/** The production sidecar writes its snapshot so long after a change. */
const snapshotDelayMs = 300;
/** How long an application takes to start. */
const applicationStartMs = 40;
const withdrawTimeoutMs = 5000;
const drainTimeoutMs = 5000;

/** What is gone with the process. */
interface Process {
  readonly node: SimulatedNode;
  readonly sidecar: Sidecar;
  readonly application: EchoApplication;
  readonly client: HttpClient;
}

export class Workload {
  readonly plan: InstancePlan;
  private readonly environment: WorkloadEnvironment;
  private running: Process | null = null;
  private starts = 0;
  /** The snapshot as it lies on disk: it outlives a crash. */
  private disk: Uint8Array | null = null;
  private snapshot: (() => ConfigurationSnapshot) | null = null;
  private digest: string | null = null;
  /** When the sidecar of the present process began to serve, and from what; null before. */
  ready: { readonly atMs: number; readonly source: ConfigurationSource } | null = null;
  isPublished = false;

  constructor(plan: InstancePlan, environment: WorkloadEnvironment) {
    this.plan = plan;
    this.environment = environment;
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  /** The client in the application, while the sidecar serves. */
  get client(): HttpClient | null {
    return this.ready === null ? null : (this.running?.client ?? null);
  }

  /** The node's clock, which stops with its process. */
  get clock(): Clock {
    return this.process.node.clock;
  }

  get process(): Process {
    if (this.running === null) throw new Error(`${this.plan.id} is not running`);
    return this.running;
  }

  /** Names all that the sidecar has in use now. */
  get configurationVersion(): string {
    this.digest ??= this.snapshot === null ? 'none' : configurationDigest(this.snapshot());
    return this.digest;
  }

  /** Starts the process; where a snapshot lies on disk, the sidecar serves from it at once. */
  start(): void {
    const { plan, environment } = this;
    const node = environment.network.addNode({
      name: plan.id,
      addresses: [plan.address],
      identity: spiffeIdOf(plan.namespace, plan.service),
    });
    const random = environment.random.fork(`${plan.id} ${this.starts++}`);
    const application = new EchoApplication({
      transport: node,
      clock: node.clock,
      random: random.fork('application'),
      instance: plan,
    });
    const client = new HttpClient(node, node.clock, random.fork('client'));
    this.ready = null;
    this.isPublished = false;
    this.snapshot = null;
    this.digest = null;
    const sidecar = this.makeSidecar(node, application);
    this.running = { node, sidecar, application, client };
    sidecar.start(this.readDisk());
  }

  /**
   * As a supervisor does it: out of the mesh, confirmed by all, then what runs may end. Resolves with the requests that
   * were still running.
   */
  async stop(onWithdrawn: (isAcknowledged: boolean) => void): Promise<number> {
    const { sidecar } = this.process;
    const { acknowledged } = await sidecar.withdraw(withdrawTimeoutMs);
    this.isPublished = false;
    onWithdrawn(acknowledged);
    return await sidecar.drain(drainTimeoutMs);
  }

  /** Ends the process in order, without telling the mesh. */
  async close(): Promise<void> {
    const { sidecar, application, client } = this.process;
    client.close();
    await application.close();
    await sidecar.close();
    this.running = null;
    this.ready = null;
  }

  /** The process dies at once. */
  crash(): void {
    this.process.node.crash();
    this.running = null;
    this.ready = null;
    this.isPublished = false;
  }

  private makeSidecar(node: SimulatedNode, application: EchoApplication): Sidecar {
    const { plan, environment } = this;
    const { id, service, namespace, version, address } = plan;
    let writing: Timer | null = null;
    const sidecar: Sidecar = new Sidecar(
      {
        instance: id,
        namespace,
        service,
        serviceAccount: service,
        labels: { app: service, version },
        servicePort: ports.service,
        appPort: ports.application,
        protocol: 'http',
        inbound: { address, port: ports.inbound },
        advertiseAddress: address,
        outboundProxy: { address: '127.0.0.1', port: ports.outboundProxy },
        upstreams: plan.upstreams.map((host, index) => ({
          host,
          port: ports.service,
          bind: { address: '127.0.0.1', port: ports.firstUpstream + index },
        })),
        expose: null,
        accessLog: '',
      },
      {
        dns: { datagrams: node, listens: true, configuration: () => defaultResolverConfiguration },
        transport: observeConnects(node, (to) => environment.onConnect(id, to)),
        rpc: createInMemoryRpcClient(node, controlPlaneAddress),
        clock: node.clock,
        random: node.random,
        loggers: { get: () => environment.logger(node) },
        secrets: { certificate: () => null, trustBundle: () => null },
        identity: node.identity,
        onTrustBundleChanged: () => undefined,
        onReady: (source) => {
          this.ready = { atMs: node.clock.monotonic(), source };
          node.clock.setTimer(applicationStartMs, () => {
            void application.listen();
            sidecar.applicationStarted();
          });
        },
        onPublished: () => {
          this.isPublished = true;
        },
        onPublishRefused: (message) => {
          throw new Error(message);
        },
        onFailed: (error) => {
          throw error;
        },
        onRefused: (message) => {
          throw new Error(message);
        },
        onConfigured: (snapshot) => {
          this.snapshot = snapshot;
          this.digest = null;
          writing ??= node.clock.setTimer(snapshotDelayMs, () => {
            writing = null;
            this.disk = encodeSnapshot(snapshot());
          });
        },
      },
    );
    return sidecar;
  }

  private readDisk(): ConfigurationSnapshot | null {
    if (this.disk === null) return null;
    const decoded = decodeSnapshot(this.disk);
    if (!decoded.ok)
      throw new Error(`${this.plan.id} wrote a snapshot that cannot be read: ${decoded.error}`);
    return decoded.value;
  }
}
