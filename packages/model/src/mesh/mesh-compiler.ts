import { isDeepStrictEqual } from 'node:util';
import type { ObjectKey, StoredObject } from '../manifest/object.ts';
import { compileHost } from './compile-host.ts';
import { Declarations } from './declarations.ts';
import { defaultDomain, defaultRootNamespace, hostMatches } from './host-name.ts';
import type { HostView, MeshHost, MeshModel, MeshService } from './model.ts';
import { ObjectIndex } from './object-index.ts';
import { ScopingIndex } from './scoping-index.ts';
import { countingDeclaration, joinService } from './services.ts';

export interface MeshOptions {
  /** `cluster.local` unless given. */
  readonly domain?: string;
  /** The namespace whose DestinationRules hold for everybody; `heddle-system` unless given. */
  readonly rootNamespace?: string;
}

/** What happened since the last model. Deletions are applied before additions. */
export interface MeshChange {
  readonly deletedObjects?: readonly ObjectKey[];
  /** New objects and new versions of old ones. */
  readonly objects?: readonly StoredObject[];
  /** Hosts of services that are gone. */
  readonly deletedServices?: readonly string[];
  readonly services?: readonly MeshService[];
}

export interface MeshUpdate {
  readonly model: MeshModel;
  /** Hosts that are new, gone or compiled to something else than before. */
  readonly changedHosts: ReadonlySet<string>;
}

/** Keeps a mesh compiled: a change costs what the hosts it touches cost, whatever the size of the mesh. */
export class MeshCompiler {
  readonly #domain: string;
  readonly #rootNamespace: string;
  readonly #index: ObjectIndex;
  readonly #declarations: Declarations;
  readonly #scoping: ScopingIndex;
  /** Services that have instances. */
  readonly #running = new Map<string, MeshService>();
  /** Those, and the ones that objects declare. */
  readonly #services = new Map<string, MeshService>();
  readonly #hosts = new Map<string, MeshHost>();
  /** Which services each host was compiled with, and the reverse. */
  readonly #dependencies = new Map<string, ReadonlySet<string>>();
  readonly #dependents = new Map<string, Set<string>>();
  #model: MeshModel;

  constructor(options: MeshOptions = {}) {
    this.#domain = options.domain ?? defaultDomain;
    this.#rootNamespace = options.rootNamespace ?? defaultRootNamespace;
    this.#index = new ObjectIndex(this.#domain);
    this.#declarations = new Declarations(this.#domain);
    this.#scoping = new ScopingIndex(this.#rootNamespace);
    this.#model = {
      domain: this.#domain,
      services: new Map(),
      hosts: new Map(),
      scoping: this.#scoping.current,
    };
  }

  /** The mesh after the last change. */
  get model(): MeshModel {
    return this.#model;
  }

  /** Takes a change in and compiles the hosts it touches. */
  apply(change: MeshChange): MeshUpdate {
    const patterns = new Set<string>();
    const services = new Set<string>();
    for (const key of change.deletedObjects ?? []) {
      for (const pattern of this.#index.delete(key)) patterns.add(pattern);
      for (const host of this.#declarations.delete(key)) services.add(host);
      this.#scoping.delete(key);
    }
    for (const stored of change.objects ?? []) {
      for (const pattern of this.#index.set(stored)) patterns.add(pattern);
      for (const host of this.#declarations.set(stored)) services.add(host);
      this.#scoping.set(stored);
    }
    for (const host of change.deletedServices ?? []) if (this.#running.delete(host)) services.add(host);
    for (const service of change.services ?? []) {
      if (isDeepStrictEqual(this.#running.get(service.host), service)) continue;
      this.#running.set(service.host, service);
      services.add(service.host);
    }
    for (const host of services) this.#join(host);
    const changedHosts = new Set<string>();
    for (const host of this.#touched(patterns, services)) if (this.#compile(host)) changedHosts.add(host);
    const scoping = this.#scoping.current;
    if (changedHosts.size > 0 || services.size > 0) {
      const [known, hosts] = [new Map(this.#services), new Map(this.#hosts)];
      this.#model = { domain: this.#domain, services: known, hosts, scoping };
    } else if (scoping !== this.#model.scoping) this.#model = { ...this.#model, scoping };
    return { model: this.#model, changedHosts };
  }

  #touched(patterns: ReadonlySet<string>, services: ReadonlySet<string>): Set<string> {
    const touched = new Set<string>(services);
    for (const service of services) for (const host of this.#dependents.get(service) ?? []) touched.add(host);
    for (const pattern of patterns) {
      touched.add(pattern);
      if (!pattern.startsWith('*')) continue;
      for (const host of this.#hosts.keys()) if (hostMatches(pattern, host)) touched.add(host);
    }
    return touched;
  }

  /** Puts together what the instances of a service say and what objects do. */
  #join(host: string): void {
    const running = this.#running.get(host) ?? null;
    const declared = this.#declarations.first(host);
    const joined = joinService(running, countingDeclaration(running, declared));
    if (joined === null) this.#services.delete(host);
    else this.#services.set(host, joined);
  }

  /** Returns whether anything changed. */
  #compile(host: string): boolean {
    const previous = this.#hosts.get(host);
    for (const dependency of this.#dependencies.get(host) ?? [])
      this.#dependents.get(dependency)?.delete(host);
    if (!this.#services.has(host) && !this.#index.isNamed(host)) {
      this.#dependencies.delete(host);
      return this.#hosts.delete(host);
    }
    const compiled = compileHost(host, {
      domain: this.#domain,
      rootNamespace: this.#rootNamespace,
      index: this.#index,
      declarations: this.#declarations,
      running: this.#running,
      services: this.#services,
    });
    this.#dependencies.set(host, compiled.dependencies);
    for (const dependency of compiled.dependencies) {
      const dependents = this.#dependents.get(dependency);
      if (dependents === undefined) this.#dependents.set(dependency, new Set([host]));
      else dependents.add(host);
    }
    if (isDeepStrictEqual(previous, compiled.host)) return false;
    this.#hosts.set(host, compiled.host);
    return true;
  }
}

/** Compiles a whole mesh at once. */
export function compileMesh(
  input: { readonly objects: readonly StoredObject[]; readonly services: readonly MeshService[] },
  options: MeshOptions = {},
): MeshModel {
  return new MeshCompiler(options).apply(input).model;
}

/** What clients of a namespace see of a host. */
export function viewOf(host: MeshHost, namespace: string): HostView {
  return host.views.get(namespace) ?? host.shared;
}
