// A sidecar as the control plane sees it: subscribes as a real one does, acknowledges everything, keeps nothing.
import { RpcCode, TypeUrl, type RpcClient, type RpcStatus, type RpcStream } from '@heddle/xds';
import { DeltaDiscoveryRequest } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { deltaAdsMethod } from '@heddle/xds/server';
import { ownLabel } from './mesh.ts';
import { readResponse, type SeenResponse } from './read-response.ts';

/** What is told of a simulated proxy. */
export interface ProxyObserver {
  /** A response has been acknowledged. */
  onAcknowledged(proxy: SimulatedProxy, response: SeenResponse): void;
  onLost(proxy: SimulatedProxy, status: RpcStatus): void;
}

export interface ProxyPlan {
  readonly index: number;
  readonly namespace: string;
  readonly services: number;
  readonly rpc: RpcClient;
}

/** Proxies of a machine ask for the same names in the same order. */
const encodedSubscriptions = new Map<string, Uint8Array>();

export class SimulatedProxy {
  readonly index: number;
  bytes = 0;
  responses = 0;
  private readonly plan: ProxyPlan;
  private readonly observer: ProxyObserver;
  private stream: RpcStream | null = null;
  private readonly clusters = new Set<string>();
  private readonly endpoints = new Set<string>();
  private readonly virtualHosts = new Set<string>();
  private readonly others = new Set<string>();
  private hasRoutes = false;

  constructor(plan: ProxyPlan, observer: ProxyObserver) {
    this.plan = plan;
    this.observer = observer;
    this.index = plan.index;
  }

  /** Whether it has one of everything, and clusters, endpoints and virtual hosts of all services. */
  get isComplete(): boolean {
    const { services } = this.plan;
    return (
      this.clusters.size >= services &&
      this.endpoints.size >= services &&
      this.virtualHosts.size >= services &&
      this.others.size === 3
    );
  }

  connect(): void {
    this.clusters.clear();
    this.endpoints.clear();
    this.virtualHosts.clear();
    this.others.clear();
    this.hasRoutes = false;
    const stream = this.plan.rpc.openStream(deltaAdsMethod, {
      onMessage: (message) => this.read(stream, message),
      onHalfClose: () => undefined,
      onWritable: () => undefined,
      onEnd: (status) => {
        this.stream = null;
        this.observer.onLost(this, status);
      },
    });
    this.stream = stream;
    this.send({ node: this.node(), typeUrl: TypeUrl.cluster, resourceNamesSubscribe: ['*'] });
    this.subscribe(TypeUrl.secret, ['ROOTCA']);
    this.subscribe(TypeUrl.listener, ['*']);
  }

  close(): void {
    this.stream?.end({ code: RpcCode.ok, message: '' });
  }

  private read(stream: RpcStream, message: Uint8Array): void {
    const response = readResponse(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    this.bytes += message.byteLength;
    this.responses++;
    const { typeUrl, nonce, names } = response;
    stream.send(acknowledgement(typeUrl, nonce));
    if (typeUrl === TypeUrl.cluster) {
      const fresh = names.filter((name) => name.startsWith('outbound|') && !this.clusters.has(name));
      for (const name of fresh) this.clusters.add(name);
      for (const name of response.removed) this.clusters.delete(name);
      if (fresh.length > 0) this.subscribe(TypeUrl.clusterLoadAssignment, fresh);
    } else if (typeUrl === TypeUrl.clusterLoadAssignment) {
      for (const name of names) this.endpoints.add(name);
    } else if (typeUrl === TypeUrl.virtualHost) {
      for (const name of names) this.virtualHosts.add(name);
      for (const name of response.removed) this.virtualHosts.delete(name);
    } else {
      this.others.add(typeUrl);
      if (typeUrl === TypeUrl.listener && !this.hasRoutes) {
        this.hasRoutes = true;
        this.subscribe(TypeUrl.routeConfiguration, [`http-proxy|${this.plan.namespace}`]);
        this.subscribe(TypeUrl.virtualHost, [`http-proxy|${this.plan.namespace}`]);
      }
    }
    this.observer.onAcknowledged(this, response);
  }

  private subscribe(typeUrl: string, names: readonly string[]): void {
    const key = `${typeUrl} ${names.join(' ')}`;
    let encoded = encodedSubscriptions.get(key);
    if (encoded === undefined) {
      encoded = encodeRequest({ typeUrl, resourceNamesSubscribe: [...names] });
      encodedSubscriptions.set(key, encoded);
    }
    this.stream?.send(encoded);
  }

  private send(request: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): void {
    this.stream?.send(encodeRequest(request));
  }

  private node(): NonNullable<Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]>['node'] {
    const { index, namespace, services } = this.plan;
    const service = `svc-${index % services}`;
    return {
      id: `sidecar~pod-${index}~${service}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${service}.${namespace}`,
      metadata: {
        NAMESPACE: namespace,
        SERVICE: service,
        SERVICE_ACCOUNT: 'load',
        INSTANCE: `pod-${index}`,
        LABELS: { app: service, version: 'v1', [ownLabel]: `pod-${index}` },
        SERVICE_PORT: 9080,
        APP_PORT: 30_000,
        VHDS: true,
        INBOUND: { address: '127.0.0.1', port: 20_000 + index },
        OUTBOUND_PROXY: { address: '127.0.0.1', port: 40_000 + index },
      },
    };
  }
}

/** The last by its nonce, which many proxies are sent. */
let lastAcknowledgement: { typeUrl: string; nonce: string; bytes: Uint8Array } = {
  typeUrl: '',
  nonce: '',
  bytes: new Uint8Array(),
};

function acknowledgement(typeUrl: string, nonce: string): Uint8Array {
  if (lastAcknowledgement.typeUrl !== typeUrl || lastAcknowledgement.nonce !== nonce)
    lastAcknowledgement = { typeUrl, nonce, bytes: encodeRequest({ typeUrl, responseNonce: nonce }) };
  return lastAcknowledgement.bytes;
}

function encodeRequest(request: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Uint8Array {
  return DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(request)).finish();
}
