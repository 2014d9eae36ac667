// The configuration of a large mesh, made by the control plane's own compiler: services, their endpoints, routes to them.
import {
  encodeResource,
  encodeMessage,
  type EncodedResource,
  type ResourceSource,
  TypeUrl,
} from '@heddle/xds';
import { defaultRule } from '@heddle/model';
import { outboundCluster } from '../../../packages/control-plane/src/compile/clusters.ts';
import { compileListeners } from '../../../packages/control-plane/src/compile/listeners.ts';
import { proxyRoutesName, trustBundleSecret } from '../../../packages/control-plane/src/compile/names.ts';
import { socketAddress } from '../../../packages/control-plane/src/compile/parts.ts';
import {
  encodeVirtualHost,
  routeConfiguration,
  virtualHost,
} from '../../../packages/control-plane/src/compile/routes.ts';

const port = 9080;
const namespace = 'default';
const noFilters = { requests: [], connections: [], strayConnections: [], mtls: 'STRICT' as const };

type Resources = Map<string, Map<string, EncodedResource>>;

function hostOf(index: number): string {
  return `service-${index}.${namespace}.svc.cluster.local`;
}

function endpoints(service: number, count: number, shift: number): Uint8Array {
  const clusterName = `outbound|${port}||${hostOf(service)}`;
  const lbEndpoints = Array.from({ length: count }, (_, index) => {
    const address = `10.${(service >> 8) & 255}.${service & 255}.${index + shift + 1}`;
    const endpoint = { address: socketAddress({ address, port: 15_006 }) };
    return { hostIdentifier: { $case: 'endpoint' as const, value: endpoint }, healthStatus: 1 as const };
  });
  return encodeMessage(TypeUrl.clusterLoadAssignment, { clusterName, endpoints: [{ lbEndpoints }] });
}

/** Serves the same to every client; `change` replaces the endpoints of one service. */
export class LargeMesh implements ResourceSource {
  private readonly resources: Resources = new Map();
  private readonly listeners = new Set<Parameters<ResourceSource['watch']>[0]>();
  private readonly endpointsPerService: number;
  private version = 1;

  constructor(services: number, endpointsPerService: number) {
    this.endpointsPerService = endpointsPerService;
    const virtualHosts: Uint8Array[] = [];
    for (let service = 0; service < services; service++) {
      const host = hostOf(service);
      const name = `outbound|${port}||${host}`;
      const identity = `spiffe://cluster.local/ns/${namespace}/sa/service-${service}`;
      this.put(
        TypeUrl.cluster,
        name,
        outboundCluster({ name, port, subset: '', labels: {}, protocol: 'http' }, host, [identity]),
      );
      this.put(TypeUrl.clusterLoadAssignment, name, endpoints(service, endpointsPerService, 0));
      const rule = defaultRule(host, port);
      const domains = [
        host,
        `service-${service}`,
        `service-${service}.${namespace}`,
        `service-${service}.${namespace}.svc`,
      ];
      const authorities = domains.map((domain) => `${domain}:${port}`);
      virtualHosts.push(
        encodeVirtualHost(virtualHost(host, { port, protocol: 'http' as const, rules: [rule] }, authorities)),
      );
    }
    const routes = proxyRoutesName(namespace);
    this.put(TypeUrl.routeConfiguration, routes, routeConfiguration(routes, virtualHosts));
    const sidecar = {
      namespace,
      service: 'client',
      serviceAccount: 'client',
      instance: 'client-1',
      labels: {},
      servicePort: port,
      appPort: 8080,
      protocol: 'http' as const,
      hasTunnels: true,
      hasVhds: false,
      inbound: { address: '127.0.0.1', port: 15_006 },
      client: 'heddle' as const,
      outboundProxy: { address: '127.0.0.1', port: 15_001 },
      upstreams: [],
      expose: null,
      dnsCapture: null,
      interception: null,
      accessLog: '',
    };
    for (const [name, bytes] of compileListeners(sidecar, noFilters)) this.put(TypeUrl.listener, name, bytes);
    const roots = { $case: 'inlineString' as const, value: 'none' };
    this.put(
      TypeUrl.secret,
      trustBundleSecret,
      encodeMessage(TypeUrl.secret, {
        name: trustBundleSecret,
        type: { $case: 'validationContext', value: { trustedCa: { specifier: roots } } },
      }),
    );
  }

  get(_client: unknown, typeUrl: string, name: string): EncodedResource | undefined {
    return this.resources.get(typeUrl)?.get(name);
  }

  list(_client: unknown, typeUrl: string): Iterable<string> {
    return this.resources.get(typeUrl)?.keys() ?? [];
  }

  watch(listener: Parameters<ResourceSource['watch']>[0]): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** One instance of a service is replaced: one EDS resource for everybody. */
  change(service: number): void {
    this.version++;
    const name = `outbound|${port}||${hostOf(service)}`;
    this.put(
      TypeUrl.clusterLoadAssignment,
      name,
      endpoints(service, this.endpointsPerService, this.version % 100),
    );
    for (const listener of this.listeners) {
      listener([{ typeUrl: TypeUrl.clusterLoadAssignment, names: new Set([name]) }]);
    }
  }

  private put(typeUrl: string, name: string, message: Uint8Array): void {
    const ofType = this.resources.get(typeUrl) ?? new Map<string, EncodedResource>();
    ofType.set(name, encodeResource(typeUrl, name, String(this.version), message));
    this.resources.set(typeUrl, ofType);
  }
}
