/** Instances that PeerAuthentications let take connections in the clear only: their callers show no certificate. */
import { type MeshHost, type MeshModel, modeForCallers, type PolicyIndex } from '@heddle/model';
import type { Instance } from '../instances/instance-store.ts';
import type { MemberSource } from './host-resources.ts';

/** Whether nobody shows a certificate to an instance, nor it to anybody. */
export type IsPlain = (instance: Instance) => boolean;

export class PlainPeers {
  private readonly policies: PolicyIndex;
  private readonly members: MemberSource;
  /** By host, the ids of those that are its endpoints; none for most. */
  private readonly known = new Map<string, string>();

  constructor(policies: PolicyIndex, members: MemberSource) {
    this.policies = policies;
    this.members = members;
  }

  /** To be called when a host is compiled; returns what its endpoints are to be judged by. */
  note(name: string, host: MeshHost | undefined): IsPlain {
    const ids = host === undefined ? '' : this.idsOf(host);
    if (ids === '') this.known.delete(name);
    else this.known.set(name, ids);
    return this.isPlain;
  }

  /** The hosts of which other instances are plain than when they were compiled. */
  changed({ hosts }: MeshModel): string[] {
    return [...hosts].flatMap(([name, host]) =>
      this.idsOf(host) === (this.known.get(name) ?? '') ? [] : [name],
    );
  }

  private readonly isPlain: IsPlain = (instance) =>
    modeForCallers(this.policies.policiesFor(instance).mtls, instance.servicePort) === 'DISABLE';

  private idsOf(host: MeshHost): string {
    return membersOf(host, this.members)
      .filter(this.isPlain)
      .map(({ instance }) => instance)
      .join(' ');
  }
}

/** All that any view of a host has as endpoints. */
function membersOf({ host, shared, views }: MeshHost, source: MemberSource): Instance[] {
  const selected = [shared, ...views.values()].flatMap(({ declared }) =>
    declared === undefined || declared.selector === null || declared.isExternal
      ? []
      : source.selected(declared.namespace, declared.selector),
  );
  return [...(source.members(host)?.instances ?? []), ...selected];
}
