// The control plane as a process that can die: the stores outlive it, as files would.
import type { Logger } from '@heddle/base';
import {
  type CertificateIssuer,
  type ConfigStore,
  ControlPlane,
  MemoryConfigStore,
  MemoryInstanceStore,
  MemoryServiceBindings,
} from '@heddle/control-plane';
import { type InMemoryNetwork, serveInMemoryRpc, type SimulatedNode } from '@heddle/testkit';
import { controlPlaneAddress, spiffeIdOf, trustDomain } from './topology.ts';

/** Certificates are the network's business here: nobody asks for one. */
const issuer: CertificateIssuer = {
  trustDomain,
  bundlePem: 'the roots',
  rootNotAfterMs: Date.UTC(2036, 0, 1),
  issueWorkload: () => Promise.reject(new Error('nobody renews certificates in a simulation')),
};

export class ControlPlaneProcess {
  private readonly network: InMemoryNetwork;
  private readonly logger: (node: SimulatedNode) => Logger;
  private readonly configStore: MemoryConfigStore;
  private readonly instanceStore = new MemoryInstanceStore();
  private running: { readonly node: SimulatedNode; readonly core: ControlPlane } | null = null;

  constructor(network: InMemoryNetwork, logger: (node: SimulatedNode) => Logger) {
    this.network = network;
    this.logger = logger;
    this.configStore = new MemoryConfigStore(network.clock);
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  get core(): ControlPlane {
    if (this.running === null) throw new Error('the control plane is not running');
    return this.running.core;
  }

  async start(): Promise<void> {
    const node = this.network.addNode({
      name: 'control-plane',
      addresses: [controlPlaneAddress.host],
      identity: spiffeIdOf('heddle-system', 'control-plane'),
    });
    const core = await ControlPlane.open({
      clock: node.clock,
      logger: this.logger(node),
      configStore: storeOf(node, this.configStore),
      instanceStore: this.instanceStore,
      // Nobody joins here; every service account is named like its service.
      bindings: new MemoryServiceBindings(),
      issuer,
    });
    await serveInMemoryRpc(node, controlPlaneAddress, core.methods);
    this.running = { node, core };
  }

  /** The process dies at once; what it has stored stays. */
  crash(): void {
    this.running?.node.crash();
    this.running = null;
  }

  async close(): Promise<void> {
    await this.core.close();
    this.running?.node.crash();
    this.running = null;
  }
}

/** The store as one process sees it: a dead process hears of nothing. */
function storeOf(node: SimulatedNode, store: ConfigStore): ConfigStore {
  return {
    read: () => store.read(),
    get: (key) => store.get(key),
    commit: (changes, author) => store.commit(changes, author),
    watch: (afterRevision, watcher) =>
      store.watch(afterRevision, {
        onCommit: (commit) => {
          if (node.isAlive) watcher.onCommit(commit);
        },
        onLost: (error) => watcher.onLost(error),
      }),
    commitsAfter: (afterRevision) => store.commitsAfter(afterRevision),
    history: (options) => store.history(options),
    close: () => store.close(),
  };
}
