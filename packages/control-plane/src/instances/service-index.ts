/** The services that the published instances make up, and who is behind each. */
import {
  collectServices,
  isSelectedBy,
  serviceHost,
  type MeshService,
  type WorkloadLabels,
} from '@heddle/model';
import type { HostMembers, MemberSource } from '../compile/host-resources.ts';
import type { Instance } from './instance-store.ts';

interface Entry {
  readonly instances: Map<string, Instance>;
  /** Who was behind the service when it last had instances: what clients check does not change while it has none. */
  identities: readonly string[];
  /** Made when somebody asks; null after a change. */
  members: HostMembers | null;
  service: MeshService;
}

/**
 * A service is known from its first instance on, and for a while after its last one has left: a service of one instance
 * that restarts must not become an unknown host, whose requests would go to whatever the name stands for outside the mesh.
 */
export class ServiceIndex implements MemberSource {
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

  /** Removes an instance; returns the service's host. Without instances the service stays as it was, see `forget`. */
  remove(instance: Instance): string {
    const host = this.hostOf(instance);
    const entry = this.entries.get(host);
    if (entry === undefined) return host;
    entry.instances.delete(instance.instance);
    if (entry.instances.size === 0) entry.members = null;
    else this.refresh(host, entry.instances);
    return host;
  }

  /** Whether a service is known that has no instance. */
  isDeserted(host: string): boolean {
    return this.entries.get(host)?.instances.size === 0;
  }

  /** Drops a service that has no instance; false where it has one again, or is not known. */
  forget(host: string): boolean {
    return this.isDeserted(host) && this.entries.delete(host);
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
    entry.members ??= {
      instances: [...entry.instances.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1)),
      identities: entry.identities,
    };
    return entry.members;
  }

  selected(namespace: string, labels: WorkloadLabels): readonly Instance[] {
    const found: Instance[] = [];
    for (const { service, instances } of this.entries.values()) {
      if (service.namespace !== namespace) continue;
      for (const instance of instances.values())
        if (isSelectedBy(labels, instance.labels)) found.push(instance);
    }
    return found.sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  /** The SPIFFE id that an instance has proven. */
  identityOf({ namespace, serviceAccount }: Pick<Instance, 'namespace' | 'serviceAccount'>): string {
    return `spiffe://${this.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  }

  private refresh(host: string, instances: Map<string, Instance>): void {
    const service = collectServices(instances.values(), this.domain).get(host)!;
    // Port 0 stands for a workload that nobody calls.
    const ports = service.ports.filter(({ number }) => number !== 0);
    const identities = [
      ...new Set([...instances.values()].map((instance) => this.identityOf(instance))),
    ].sort();
    this.entries.set(host, { instances, identities, members: null, service: { ...service, ports } });
  }
}
