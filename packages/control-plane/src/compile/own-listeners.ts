/** A sidecar's listeners that depend on what it says of itself and on the policies for its workload. */
import type { PolicyIndex, WorkloadPolicies } from '@heddle/model';
import { TypeUrl, type EncodedResource } from '@heddle/xds';
import type { FilterFactory } from './authorization/workload-filters.ts';
import { compileListeners } from './listeners.ts';
import { makeResource } from './make-resource.ts';
import type { SidecarNode } from './node-metadata.ts';

/** Those by which something comes in: a change of policies may change them. */
export const inboundListenerNames: readonly string[] = ['inbound', 'expose', 'virtualInbound'];

/** What decides about who may come in. */
export interface InboundSecurity {
  readonly policies: PolicyIndex;
  readonly filters: FilterFactory;
}

export class OwnListeners {
  private readonly node: SidecarNode;
  private readonly security: InboundSecurity;
  private policies: WorkloadPolicies | null = null;
  private made: ReadonlyMap<string, EncodedResource> = new Map();

  constructor(node: SidecarNode, security: InboundSecurity) {
    this.node = node;
    this.security = security;
  }

  get names(): Iterable<string> {
    return this.all().keys();
  }

  /** Undefined for a listener that is none of them. */
  get(name: string): EncodedResource | undefined {
    return this.all().get(name);
  }

  private all(): ReadonlyMap<string, EncodedResource> {
    const { node, security, made } = this;
    const policies = security.policies.policiesFor(node);
    if (policies === this.policies) return made;
    this.policies = policies;
    this.made = new Map(
      [...compileListeners(node, security.filters.make(policies, node))].map(([name, message]) => [
        name,
        makeResource(TypeUrl.listener, name, message, [made.get(name)]),
      ]),
    );
    return this.made;
  }
}
