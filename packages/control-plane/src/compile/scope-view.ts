/** The part of the mesh that proxies of one scope see, as sets of names: what is behind the names, all scopes share. */
import {
  isCovered,
  viewOf,
  type EgressPattern,
  type MeshHost,
  type MeshModel,
  type ProxyScope,
} from '@heddle/model';

export class ScopeView {
  readonly scope: ProxyScope;
  private model: MeshModel;
  private touched = false;
  /** Hosts that requests may name; null for all. */
  private readonly named: Set<string> | null;
  /** Hosts that rules of those send to, with how many of them do: these need not be named to be reached. */
  private readonly destinations = new Map<string, number>();
  /** By named host: what its rules send to beside itself. */
  private readonly byHost = new Map<string, readonly string[]>();

  constructor(scope: ProxyScope, model: MeshModel) {
    this.scope = scope;
    this.model = model;
    this.named = scope.egress === null ? null : new Set();
    if (scope.egress !== null) for (const host of candidates(scope.egress, model)) this.look(host);
  }

  get isWhole(): boolean {
    return this.named === null;
  }

  /** Whether requests may name the host. */
  names(host: string): boolean {
    return this.named === null || this.named.has(host);
  }

  /** Whether requests may end at the host. */
  reaches(host: string): boolean {
    return this.names(host) || this.destinations.has(host);
  }

  /** What requests may end at; asked only of views that are not whole. */
  *reached(): Generator<string> {
    yield* this.named ?? [];
    for (const host of this.destinations.keys()) if (!this.names(host)) yield host;
  }

  /** Whether the last change was about anything that is, or was, part of the view. */
  get wasTouched(): boolean {
    return this.isWhole || this.touched;
  }

  /** Takes a change in. Returns the hosts that can be reached now and could not, or the other way round. */
  update(model: MeshModel, changedHosts: ReadonlySet<string>): Set<string> {
    this.model = model;
    const moved = new Set<string>();
    this.touched = false;
    if (this.named === null) return moved;
    for (const host of changedHosts) {
      const wasReached = this.reaches(host);
      const before = [host, ...(this.byHost.get(host) ?? [])];
      const reached = new Map(before.map((name) => [name, this.reaches(name)]));
      this.forget(host);
      this.look(host);
      for (const name of this.byHost.get(host) ?? []) if (!reached.has(name)) reached.set(name, false);
      for (const [name, was] of reached) if (this.reaches(name) !== was) moved.add(name);
      if (wasReached || this.reaches(host)) this.touched = true;
    }
    return moved;
  }

  private look(name: string): void {
    const host = this.model.hosts.get(name);
    if (host === undefined || this.named === null || !this.covers(host)) return;
    this.named.add(name);
    const others = destinationsOf(host, this.scope.namespace);
    if (others.length === 0) return;
    this.byHost.set(name, others);
    for (const other of others) this.destinations.set(other, (this.destinations.get(other) ?? 0) + 1);
  }

  private forget(name: string): void {
    this.named?.delete(name);
    for (const other of this.byHost.get(name) ?? []) {
      const left = (this.destinations.get(other) ?? 0) - 1;
      if (left > 0) this.destinations.set(other, left);
      else this.destinations.delete(other);
    }
    this.byHost.delete(name);
  }

  private covers(host: MeshHost): boolean {
    const view = viewOf(host, this.scope.namespace);
    return view.ports.length > 0 && isCovered(this.scope.egress, host, view);
  }
}

/** Hosts that may be covered: patterns that name one need no look at all of them. */
function candidates(egress: readonly EgressPattern[], model: MeshModel): Iterable<string> {
  const wanted = egress.filter(({ isExclusion }) => !isExclusion);
  if (wanted.some(({ host }) => host.startsWith('*'))) return model.hosts.keys();
  return new Set(wanted.map(({ host }) => host));
}

function destinationsOf(host: MeshHost, namespace: string): string[] {
  const found = new Set<string>();
  for (const { rules } of viewOf(host, namespace).ports) {
    for (const { action } of rules) {
      if (action.kind !== 'forward') continue;
      for (const { host: other } of action.destinations) found.add(other);
      for (const { destination } of action.mirrors) found.add(destination.host);
    }
  }
  found.delete(host.host);
  found.delete('');
  return [...found];
}
