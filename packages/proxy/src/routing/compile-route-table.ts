import { err, invariant, ok, type Problem, type Result } from '@heddle/base';
import type { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import {
  type VirtualHost as VirtualHostMessage,
  VirtualHost_TlsRequirementType as TlsRequirement,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { fieldPath, ProblemList } from '../config/problem-list.ts';
import { compileAction, type RouteContext } from './compile-action.ts';
import { compileHeaderChanges, type HeaderChanges } from './compile-headers.ts';
import { compileConditions } from './compile-matchers.ts';
import { DomainTable } from './domain-table.ts';
import { RouteEntry } from './route-entry.ts';
import { RouteTable } from './route-table.ts';
import { VirtualHost } from './virtual-host.ts';

/** Envoy's default for `max_direct_response_body_size_bytes`. */
const defaultMaxDirectResponseBytes = 4096;

/**
 * Compiles a route configuration one virtual host at a time, so that a large one can be done in slices. Every virtual host
 * is checked when it is added; its routes are compiled when a request first comes for it.
 */
export class RouteTableBuilder<C> {
  /** The clusters that the routes name. */
  readonly clusterNames = new Set<string>();
  private readonly name: string;
  private readonly ignoresPort: boolean;
  private readonly innermostWins: boolean;
  private readonly maxDirectResponseBytes: number;
  private readonly headers: HeaderChanges;
  private readonly resolveCluster: (name: string) => C;
  private readonly path: string;
  private readonly problems: ProblemList;
  private readonly hosts: VirtualHost<C>[] = [];
  private readonly domains = new DomainTable<VirtualHost<C>>();

  /**
   * `config` may lack its virtual hosts; they come by `add`. `path` is where it stands, for problems. `resolveCluster`
   * is called when a virtual host is first used.
   */
  constructor(
    config: RouteConfiguration,
    resolveCluster: (name: string) => C,
    path: string,
    problems: ProblemList,
  ) {
    this.name = config.name;
    this.ignoresPort = config.ignorePortInHostMatching;
    this.innermostWins = config.mostSpecificHeaderMutationsWins;
    this.maxDirectResponseBytes = config.maxDirectResponseBodySizeBytes ?? defaultMaxDirectResponseBytes;
    this.headers = compileHeaderChanges(config, path, problems);
    this.resolveCluster = resolveCluster;
    this.path = path;
    this.problems = problems;
    if (config.internalOnlyHeaders.length > 0) problems.unsupported(fieldPath(path, 'internal_only_headers'));
    if (config.validateClusters === true) problems.unsupported(fieldPath(path, 'validate_clusters'));
  }

  /** Adds the next virtual host. `reload` gives the message again when it is first used: the host keeps only that. */
  add(message: VirtualHostMessage, reload: () => VirtualHostMessage): void {
    const path = fieldPath(this.path, `virtual_hosts[${this.hosts.length}]`);
    this.check(message, path);
    const host = new VirtualHost(message.name, message.domains, () => this.compile(reload()));
    this.hosts.push(host);
    for (const [index, domain] of message.domains.entries()) {
      if (!this.domains.add(domain, host)) {
        this.problems.invalid(
          `${path}.domains[${index}]`,
          `the domain ${domain} is in this route configuration already`,
        );
      }
    }
  }

  /** The finished table. Only where no problems were noted. */
  finish(): RouteTable<C> {
    return new RouteTable(this.name, this.hosts, this.domains, this.ignoresPort);
  }

  private check(message: VirtualHostMessage, path: string): void {
    const { problems } = this;
    if (message.name === '') problems.invalid(`${path}.name`, 'must not be empty');
    if (message.domains.length === 0) problems.invalid(`${path}.domains`, 'must not be empty');
    for (const [index, domain] of message.domains.entries()) {
      if (domain === '') problems.invalid(`${path}.domains[${index}]`, 'must not be empty');
    }
    if (message.requireTls !== TlsRequirement.NONE) problems.unsupported(`${path}.require_tls`);
    const collect = (name: string): null => {
      this.clusterNames.add(name);
      return null;
    };
    compileRoutes(message, this.context(message, collect, path, problems), path, problems);
  }

  private compile(message: VirtualHostMessage): RouteEntry<C>[] {
    const problems = new ProblemList();
    const context = this.context(message, this.resolveCluster, '', problems);
    const routes = compileRoutes(message, context, '', problems);
    invariant(problems.isEmpty, 'a virtual host that has been checked compiles');
    return routes;
  }

  private context<T>(
    message: VirtualHostMessage,
    resolveCluster: (name: string) => T,
    path: string,
    problems: ProblemList,
  ): RouteContext<T> {
    return {
      virtualHostName: message.name,
      resolveCluster,
      maxDirectResponseBytes: this.maxDirectResponseBytes,
      outerHeaders: [this.headers, compileHeaderChanges(message, path, problems)],
      innermostWins: this.innermostWins,
    };
  }
}

function compileRoutes<C>(
  message: VirtualHostMessage,
  context: RouteContext<C>,
  path: string,
  problems: ProblemList,
): RouteEntry<C>[] {
  const entries: RouteEntry<C>[] = [];
  for (const [index, route] of message.routes.entries()) {
    const place = fieldPath(path, `routes[${index}]`);
    if (route.match === undefined) {
      problems.invalid(`${place}.match`, 'is required');
      continue;
    }
    const conditions = compileConditions(route.match, `${place}.match`, problems);
    const targets = compileAction(route, conditions?.path ?? null, context, place, problems);
    if (conditions !== null && targets.length > 0) entries.push(new RouteEntry(conditions, targets));
  }
  return entries;
}

/** Compiles a whole route configuration; all that is wrong with it otherwise. `path` is where it stands. */
export function compileRouteTable<C>(
  config: RouteConfiguration,
  resolveCluster: (name: string) => C,
  path = '',
): Result<RouteTable<C>, Problem[]> {
  const problems = new ProblemList();
  const builder = new RouteTableBuilder(config, resolveCluster, path, problems);
  for (const host of config.virtualHosts) builder.add(host, () => host);
  return problems.isEmpty ? ok(builder.finish()) : err(problems.problems);
}
