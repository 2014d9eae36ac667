import { err, invariant, ok, type Problem, type Result } from '@heddle/base';
import type { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import {
  type Route,
  type VirtualHost as VirtualHostMessage,
  VirtualHost_TlsRequirementType as RequireTls,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { fieldPath, ProblemList } from '../config/problem-list.ts';
import type { RouteFilterConfigs } from '../policy/route-filter-config.ts';
import { compileAction, type RouteContext } from './compile-action.ts';
import { compileHeaderChanges, type HeaderChanges } from './compile-headers.ts';
import { compileConditions } from './compile-matchers.ts';
import { compileMirrors } from './compile-mirrors.ts';
import { compileRetries } from './compile-retry-policy.ts';
import { compileRouteFilters } from './compile-route-filters.ts';
import { DomainTable } from './domain-table.ts';
import { RouteEntry } from './route-entry.ts';
import { RouteTable } from './route-table.ts';
import { type TlsRequirement, VirtualHost } from './virtual-host.ts';

/** Envoy's default for `max_direct_response_body_size_bytes`. */
const defaultMaxDirectResponseBytes = 4096;

/** What a route configuration says to all of its virtual hosts. Kept by each of them until it is compiled. */
interface TableContext<C> {
  readonly headers: HeaderChanges;
  readonly filters: RouteFilterConfigs;
  readonly innermostWins: boolean;
  readonly maxDirectResponseBytes: number;
  readonly resolveCluster: (name: string, path: string) => C;
  readonly findCluster: (name: string) => C | null;
  readonly mirrors: RouteConfiguration['requestMirrorPolicies'];
  /** Where the configuration stands. */
  readonly path: string;
}

const tlsRequirements: ReadonlyMap<RequireTls, TlsRequirement> = new Map([
  [RequireTls.NONE, 'none'],
  [RequireTls.EXTERNAL_ONLY, 'external-only'],
  [RequireTls.ALL, 'all'],
]);

/** Of a value that is not known, which is refused, the strictest. */
function tlsRequirement(message: VirtualHostMessage): TlsRequirement {
  return tlsRequirements.get(message.requireTls) ?? 'all';
}

/** Whether there is a cluster of this name. */
export type ClusterCheck = (name: string) => boolean;

/**
 * Compiles a route configuration one virtual host at a time. Every virtual host is checked when it is added; its routes
 * are compiled when a request first comes for it.
 */
export class RouteTableBuilder<C> {
  private readonly name: string;
  private readonly ignoresPort: boolean;
  private readonly ignoresParameters: boolean;
  private readonly context: TableContext<C>;
  private readonly path: string;
  private readonly problems: ProblemList;
  private readonly isCluster: ClusterCheck | null;
  private readonly hosts: VirtualHost<C>[] = [];
  private readonly domains = new DomainTable<VirtualHost<C>>();

  /**
   * `config` may lack its virtual hosts; they come by `add`. `path` is where it stands, for problems. `resolveCluster`
   * is called when a virtual host is first used. `isCluster` knows all clusters that can be; null where any may come yet.
   * `findCluster` is called for names that requests bring; null is none of them.
   */
  constructor(
    config: RouteConfiguration,
    resolveCluster: (name: string) => C,
    path: string,
    problems: ProblemList,
    isCluster: ClusterCheck | null = null,
    findCluster: (name: string) => C | null = resolveCluster,
  ) {
    this.name = config.name;
    this.ignoresPort = config.ignorePortInHostMatching;
    this.ignoresParameters = config.ignorePathParametersInPathMatching;
    this.context = {
      headers: compileHeaderChanges(config, path, problems),
      filters: compileRouteFilters(
        config.typedPerFilterConfig,
        fieldPath(path, 'typed_per_filter_config'),
        problems,
      ),
      innermostWins: config.mostSpecificHeaderMutationsWins,
      maxDirectResponseBytes: config.maxDirectResponseBodySizeBytes ?? defaultMaxDirectResponseBytes,
      resolveCluster,
      findCluster,
      mirrors: config.requestMirrorPolicies,
      path,
    };
    this.path = path;
    this.problems = problems;
    if (config.internalOnlyHeaders.length > 0) problems.unsupported(fieldPath(path, 'internal_only_headers'));
    this.isCluster = (config.validateClusters ?? true) ? isCluster : null;
    if (config.validateClusters === true && isCluster === null)
      problems.unsupported(fieldPath(path, 'validate_clusters'));
  }

  /**
   * Checks and adds the next virtual host. `reload` gives the message again when it is first used: the host keeps only
   * that.
   */
  add(message: VirtualHostMessage, reload: () => VirtualHostMessage): VirtualHost<C> {
    const host = this.make(message, reload, this.nextPath);
    this.reuse(host);
    return host;
  }

  /** The same, but for adding it; `path` is where it stands. */
  make(message: VirtualHostMessage, reload: () => VirtualHostMessage, path = ''): VirtualHost<C> {
    const clusterNames = checkVirtualHost(message, this.context, path, this.problems, this.isCluster);
    const { context } = this;
    const compile = (): RouteEntry<C>[] => compileVirtualHost(reload(), context);
    return new VirtualHost(
      message.name,
      message.domains,
      [...clusterNames],
      tlsRequirement(message),
      compile,
    );
  }

  /** Adds the next virtual host as a table before had it, with the same settings around it. */
  reuse(host: VirtualHost<C>): void {
    const path = this.nextPath;
    this.hosts.push(host);
    for (const [index, domain] of host.domains.entries()) {
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
    return new RouteTable(this.name, this.hosts, this.domains, this.ignoresPort, this.ignoresParameters);
  }

  private get nextPath(): string {
    return fieldPath(this.path, `virtual_hosts[${this.hosts.length}]`);
  }
}

/** Notes what is wrong with a virtual host; returns the clusters that it names. */
function checkVirtualHost(
  message: VirtualHostMessage,
  table: TableContext<unknown>,
  path: string,
  problems: ProblemList,
  isCluster: ClusterCheck | null,
): Set<string> {
  if (message.name === '') problems.invalid(fieldPath(path, 'name'), 'must not be empty');
  if (message.domains.length === 0) problems.invalid(fieldPath(path, 'domains'), 'must not be empty');
  for (const [index, domain] of message.domains.entries()) {
    if (domain === '') problems.invalid(fieldPath(path, `domains[${index}]`), 'must not be empty');
  }
  if (!tlsRequirements.has(message.requireTls))
    problems.invalid(fieldPath(path, 'require_tls'), 'is no known value');
  const clusterNames = new Set<string>();
  const resolveCluster = (name: string, place: string): null => {
    clusterNames.add(name);
    if (name !== '' && isCluster?.(name) === false) problems.invalid(place, `there is no cluster "${name}"`);
    return null;
  };
  compileRoutes(
    message,
    routeContext(message, { ...table, resolveCluster, findCluster: () => null }, path, problems),
    path,
    problems,
  );
  return clusterNames;
}

function compileVirtualHost<C>(message: VirtualHostMessage, table: TableContext<C>): RouteEntry<C>[] {
  const problems = new ProblemList();
  const routes = compileRoutes(message, routeContext(message, table, '', problems), '', problems);
  invariant(problems.isEmpty, 'a virtual host that has been checked compiles');
  return routes;
}

function routeContext<C>(
  message: VirtualHostMessage,
  table: TableContext<C>,
  path: string,
  problems: ProblemList,
): RouteContext<C> {
  const { headers, filters, innermostWins, maxDirectResponseBytes, resolveCluster, findCluster } = table;
  const filtersPath = fieldPath(path, 'typed_per_filter_config');
  const own = compileMirrors(
    message.requestMirrorPolicies,
    table,
    fieldPath(path, 'request_mirror_policies'),
    problems,
  );
  const mirrors =
    own ?? compileMirrors(table.mirrors, table, fieldPath(table.path, 'request_mirror_policies'), problems);
  return {
    mirrors,
    virtualHostName: message.name,
    resolveCluster,
    findCluster,
    maxDirectResponseBytes,
    requestBodyLimit: message.requestBodyBufferLimit,
    requestBufferLimit: message.perRequestBufferLimitBytes,
    retries: compileRetries(message.retryPolicy, fieldPath(path, 'retry_policy'), problems),
    tellsTimeoutRetries: message.includeIsTimeoutRetryHeader,
    tellsAttempts: message.includeRequestAttemptCount,
    returnsAttempts: message.includeAttemptCountInResponse,
    outerHeaders: [headers, compileHeaderChanges(message, path, problems)],
    filters: [filters, compileRouteFilters(message.typedPerFilterConfig, filtersPath, problems)],
    innermostWins,
  };
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
    if (conditions !== null && targets.length > 0)
      entries.push(new RouteEntry(conditions, targets, numberHeader(route)));
  }
  return entries;
}

/** The field by whose number a weighted route chooses; empty for none. */
function numberHeader({ action }: Route): string {
  const specifier = action?.$case === 'route' ? action.value.clusterSpecifier : undefined;
  return specifier?.$case === 'weightedClusters'
    ? (specifier.value.randomValueSpecifier?.value.toLowerCase() ?? '')
    : '';
}

/** Compiles a whole route configuration; all that is wrong with it otherwise. `path` is where it stands. */
export function compileRouteTable<C>(
  config: RouteConfiguration,
  resolveCluster: (name: string) => C,
  path = '',
  findCluster: (name: string) => C | null = resolveCluster,
): Result<RouteTable<C>, Problem[]> {
  const problems = new ProblemList();
  const builder = new RouteTableBuilder(config, resolveCluster, path, problems, null, findCluster);
  for (const host of config.virtualHosts) builder.add(host, () => host);
  return problems.isEmpty ? ok(builder.finish()) : err(problems.problems);
}
