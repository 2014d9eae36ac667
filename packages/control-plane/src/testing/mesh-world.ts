/** A control plane's core and sidecars' xDS clients on an in-memory network under a virtual clock. */
import assert from 'node:assert/strict';
import { silentLogger } from '@heddle/base';
import {
  createInMemoryRpcClient,
  InMemoryNetwork,
  SeededRandom,
  serveInMemoryRpc,
  VirtualClock,
} from '@heddle/testkit';
import {
  decodeMessage,
  TypeUrl,
  type DeepPartial,
  type MessageOf,
  type ReceivedResource,
  type RpcClient,
  type RpcStream,
} from '@heddle/xds';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { LeaseRequest, LeaseResponse, type Publish } from '@heddle/xds/api/heddle/mesh/v1/instance.ts';
import { DeltaClient } from '@heddle/xds/client';
import { ControlPlane } from '../core/control-plane.ts';
import { MemoryInstanceStore } from '../instances/memory-instance-store.ts';
import type { CertificateIssuer } from '../rpc/certificate-service.ts';
import { leaseMethod } from '../rpc/instance-service.ts';
import { MemoryConfigStore } from '../store/memory-config-store.ts';
import { MemoryServiceBindings } from '../store/service-bindings.ts';

const address = { host: '10.0.0.1', port: 15_012 };

const issuer: CertificateIssuer = {
  trustDomain: 'cluster.local',
  bundlePem: 'the roots',
  rootNotAfterMs: Date.UTC(2036, 0, 1),
  issueWorkload: () => assert.fail('nobody renews here'),
};

/** What a sidecar says of itself. */
export interface SidecarPlan {
  readonly instance: string;
  readonly service: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly version?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One response as it came over the wire. */
export interface SeenResponse {
  readonly type: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
}

export interface MeshWorld {
  readonly clock: VirtualClock;
  readonly controlPlane: ControlPlane;
  readonly configStore: MemoryConfigStore;
  readonly instanceStore: MemoryInstanceStore;
  readonly bindings: MemoryServiceBindings;
  connect(plan: SidecarPlan): TestSidecar;
  /** A client with an identity, and nothing else. */
  rpc(identity: string): RpcClient;
  apply(
    yaml: string,
    options?: { strict?: boolean; dryRun?: boolean },
  ): ReturnType<ControlPlane['configuration']['apply']>;
  delete(yaml: string): ReturnType<ControlPlane['configuration']['delete']>;
  settle(): Promise<void>;
}

export async function makeMeshWorld(
  stores: { readonly config?: MemoryConfigStore; readonly instances?: MemoryInstanceStore } = {},
): Promise<MeshWorld> {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 1 });
  const configStore = stores.config ?? new MemoryConfigStore(clock);
  const instanceStore = stores.instances ?? new MemoryInstanceStore();
  const bindings = new MemoryServiceBindings();
  const controlPlane = await ControlPlane.open({
    clock,
    logger: silentLogger,
    configStore,
    instanceStore,
    bindings,
    issuer,
  });
  const server = network.addNode({
    name: 'control-plane',
    addresses: [address.host],
    identity: 'spiffe://cluster.local/ns/heddle-system/sa/control-plane',
  });
  await serveInMemoryRpc(server, address, controlPlane.methods);
  let nodes = 0;
  const rpc = (identity: string): RpcClient => {
    nodes++;
    const node = network.addNode({ name: `node-${nodes}`, addresses: [`10.0.1.${nodes}`], identity });
    return createInMemoryRpcClient(node, address);
  };
  return {
    clock,
    controlPlane,
    configStore,
    instanceStore,
    bindings,
    rpc,
    connect: (plan) => {
      const { namespace = 'default', service, serviceAccount = service } = plan;
      return new TestSidecar(plan, rpc(`spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`), clock);
    },
    apply: (text, options) =>
      controlPlane.configuration.apply(
        { files: [{ name: 'test.yaml', text }], namespace: 'default', ...options },
        'test',
      ),
    delete: (text) =>
      controlPlane.configuration.delete(
        { files: [{ name: 'test.yaml', text }], namespace: 'default' },
        'test',
      ),
    settle: () => clock.advanceAsync(100),
  };
}

/** The production xDS client with a sink that takes everything and asks for what a proxy would ask for. */
export class TestSidecar {
  readonly client: DeltaClient;
  /** Responses in the order in which they came; emptied by tests. */
  responses: SeenResponse[] = [];
  /** While set, what the client would answer is held back. */
  isMute = false;
  private readonly resources = new Map<string, Map<string, ReceivedResource>>();
  private readonly rpc: RpcClient;
  private readonly plan: SidecarPlan;
  private held: (() => void)[] = [];

  constructor(plan: SidecarPlan, rpc: RpcClient, clock: VirtualClock) {
    const { instance, namespace = 'default', service, serviceAccount = service, version = 'v1' } = plan;
    this.plan = plan;
    this.rpc = rpc;
    this.client = new DeltaClient({
      rpc: this.recording(rpc),
      clock,
      random: new SeededRandom(1),
      node: {
        id: `sidecar~${instance}~${service}.${namespace}~${namespace}.svc.cluster.local`,
        cluster: `${service}.${namespace}`,
        metadata: {
          NAMESPACE: namespace,
          SERVICE: service,
          SERVICE_ACCOUNT: serviceAccount,
          INSTANCE: instance,
          LABELS: { app: service, version },
          SERVICE_PORT: 9080,
          PROTOCOL: 'http',
          INBOUND: { address: '127.0.0.1', port: 20_000 },
          APP_PORT: 30_000,
          OUTBOUND_PROXY: { address: '127.0.0.1', port: 21_000 },
          UPSTREAMS: [],
          ...plan.metadata,
        },
      },
      sink: {
        apply: (typeUrl, resource) => this.take(typeUrl, resource),
        remove: (typeUrl, name) => {
          this.resources.get(typeUrl)?.delete(name);
          if (typeUrl === TypeUrl.cluster) this.client.unsubscribe(TypeUrl.clusterLoadAssignment, [name]);
        },
        commit: () => {},
      },
    });
    this.client.start();
    this.client.subscribe(TypeUrl.secret, ['ROOTCA']);
  }

  /** Names of what it has of a type, sorted. */
  names(typeUrl: string): string[] {
    return [...(this.resources.get(typeUrl)?.keys() ?? [])].sort();
  }

  get<U extends TypeUrl>(typeUrl: U, name: string): MessageOf<U> {
    const resource = this.resources.get(typeUrl)?.get(name);
    assert.ok(resource !== undefined, `has ${name} among ${this.names(typeUrl).join(' ')}`);
    const decoded = decodeMessage(typeUrl, resource.bytes);
    assert.ok(decoded.ok);
    return decoded.value.message;
  }

  /** `address:port` of a cluster's endpoints. */
  endpoints(cluster: string): string[] {
    const { endpoints } = this.get(TypeUrl.clusterLoadAssignment, cluster);
    return endpoints.flatMap(({ lbEndpoints }) =>
      lbEndpoints.map(({ hostIdentifier }) => {
        const socket = hostIdentifier?.value.address?.address;
        assert.equal(socket?.$case, 'socketAddress');
        return socket?.$case === 'socketAddress'
          ? `${socket.value.address}:${socket.value.portSpecifier?.value}`
          : '';
      }),
    );
  }

  /** Publishes its instance; `changes` replace fields of the request. */
  publish(changes: DeepPartial<Publish> = {}): TestLease {
    const { instance, namespace = 'default', service, version = 'v1' } = this.plan;
    const port = 20_000 + Number(/\d+$/.exec(instance)?.[0] ?? 0);
    const lease = new TestLease(this.rpc);
    lease.send({
      $case: 'publish',
      value: {
        instance,
        namespace,
        service,
        servicePort: 9080,
        protocol: 'http',
        address: '127.0.0.1',
        port,
        labels: { app: service, version },
        ...changes,
      },
    });
    return lease;
  }

  /** Lets held-back answers go. */
  speak(): void {
    this.isMute = false;
    for (const send of this.held.splice(0)) send();
  }

  /** The machine is gone. */
  close(): void {
    this.client.close();
    this.rpc.close();
  }

  private take(typeUrl: string, resource: ReceivedResource): null {
    const known = this.resources.get(typeUrl) ?? new Map<string, ReceivedResource>();
    known.set(resource.name, resource);
    this.resources.set(typeUrl, known);
    if (typeUrl === TypeUrl.cluster && resource.name.startsWith('outbound|'))
      this.client.subscribe(TypeUrl.clusterLoadAssignment, [resource.name]);
    if (typeUrl === TypeUrl.listener) this.subscribeToRoutes(resource.name);
    return null;
  }

  private subscribeToRoutes(listener: string): void {
    const config = this.get(TypeUrl.listener, listener).filterChains[0]?.filters[0]?.configType?.value;
    if (config?.typeUrl !== TypeUrl.httpConnectionManager) return;
    const decoded = decodeMessage(TypeUrl.httpConnectionManager, config?.value ?? new Uint8Array());
    assert.ok(decoded.ok);
    const routes = decoded.value.message.routeSpecifier;
    if (routes?.$case === 'rds')
      this.client.subscribe(TypeUrl.routeConfiguration, [routes.value.routeConfigName]);
  }

  /** A client that notes every response and can hold back requests. */
  private recording(rpc: RpcClient): RpcClient {
    return {
      openStream: (method, handler) => {
        const stream = rpc.openStream(method, {
          onMessage: (message) => {
            const { typeUrl, resources, removedResources } = DeltaDiscoveryResponse.decode(message);
            const type = typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
            this.responses.push({
              type,
              names: resources.map(({ name }) => name),
              removed: removedResources,
            });
            handler.onMessage(message);
          },
          onHalfClose: () => handler.onHalfClose(),
          onWritable: () => handler.onWritable(),
          onEnd: (status) => handler.onEnd(status),
        });
        return this.mutable(stream);
      },
      call: (...parameters) => rpc.call(...parameters),
      close: () => rpc.close(),
    };
  }

  private mutable(stream: RpcStream): RpcStream {
    return {
      send: (message) => {
        if (!this.isMute || DeltaDiscoveryRequest.decode(message).responseNonce === '')
          return stream.send(message);
        this.held.push(() => void stream.send(message));
        return true;
      },
      end: (status) => stream.end(status),
      cancel: () => stream.cancel(),
    };
  }
}

/** A stream of the instance service. */
export class TestLease {
  /** What the control plane said, in words. */
  readonly answers: string[] = [];
  private readonly stream: RpcStream;

  constructor(rpc: RpcClient) {
    this.stream = rpc.openStream(leaseMethod, {
      onMessage: (message) => {
        const { response } = LeaseResponse.decode(message);
        if (response?.$case === 'published')
          this.answers.push(`published for ${response.value.leaseMs}, renew each ${response.value.renewMs}`);
        else if (response !== undefined)
          this.answers.push(`withdrawn ${response.value.acknowledged} ${response.value.waiting}`);
      },
      onHalfClose: () => {},
      onWritable: () => {},
      onEnd: ({ code, message }) => this.answers.push(`end ${code} ${message}`.trim()),
    });
  }

  send(request: DeepPartial<NonNullable<LeaseRequest['request']>>): void {
    this.stream.send(LeaseRequest.encode(LeaseRequest.fromPartial({ request })).finish());
  }

  /** Renews each 1.25 s for as long as the clock runs. */
  keep(clock: VirtualClock): this {
    clock.setTimer(1250, () => {
      this.send({ $case: 'renew', value: {} });
      if (!this.answers.some((answer) => answer.startsWith('end'))) this.keep(clock);
    });
    return this;
  }

  withdraw(): void {
    this.send({ $case: 'withdraw', value: {} });
  }

  cancel(): void {
    this.stream.cancel();
  }
}
