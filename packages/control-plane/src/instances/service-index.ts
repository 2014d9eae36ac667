/** The services that the published instances make up, and who is behind each. */
import { collectServices, serviceHost, type MeshService } from '@heddle/model';
import type { HostMembers } from '../compile/host-resources.ts';
import type { Instance } from './instance-store.ts';

interface Entry {
  readonly instances: Map<string, Instance>;
  /** Made when somebody asks; null after a change. */
  members: HostMembers | null;
  service: MeshService;
}

/** A service is known for as long as any instance of it is. */
export class ServiceIndex {
  private readonly domain: string;
  private readonly trustDomain: string;
  private readonly entries = new Map<string, Entry>();

  constructor(domain: string, trustDomain: string) {
    this.domain = domain;
    this.trustDomain = trustDomain;
  }

  /** Adds an instance or replaces the one with its id; returns the service's host. */
  put(instance: Instance): string {
    const host = this.hostOf(instance);
    const instances = this.entries.get(host)?.instances ?? new Map<string, Instance>();
    instances.set(instance.instance, instance);
    this.refresh(host, instances);
    return host;
  }

  /** Removes an instance; returns the service's host. */
  remove(instance: Instance): string {
    const host = this.hostOf(instance);
    const instances = this.entries.get(host)?.instances;
    instances?.delete(instance.instance);
    if (instances === undefined || instances.size === 0) this.entries.delete(host);
    else this.refresh(host, instances);
    return host;
  }

  hostOf({ service, namespace }: Pick<Instance, 'service' | 'namespace'>): string {
    return serviceHost(service, namespace, this.domain);
  }

  service(host: string): MeshService | undefined {
    return this.entries.get(host)?.service;
  }

  /** By host. */
  services(): ReadonlyMap<string, MeshService> {
    return new Map([...this.entries].map(([host, { service }]) => [host, service]));
  }

  members(host: string): HostMembers | undefined {
    const entry = this.entries.get(host);
    if (entry === undefined) return undefined;
    entry.members ??= this.makeMembers(entry);
    return entry.members;
  }

  /** The SPIFFE id that an instance has proven. */
  identityOf({ namespace, serviceAccount }: Pick<Instance, 'namespace' | 'serviceAccount'>): string {
    return `spiffe://${this.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  }

  private refresh(host: string, instances: Map<string, Instance>): void {
    const service = collectServices(instances.values(), this.domain).get(host)!;
    // Port 0 stands for a workload that nobody calls.
    const ports = service.ports.filter(({ number }) => number !== 0);
    this.entries.set(host, { instances, members: null, service: { ...service, ports } });
  }

  private makeMembers({ instances }: Entry): HostMembers {
    const sorted = [...instances.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1));
    const identities = [...new Set(sorted.map((instance) => this.identityOf(instance)))].sort();
    return { instances: sorted, identities };
  }
}
