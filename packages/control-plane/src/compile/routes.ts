/** Routes: from the model's rules to Envoy's. */
import { clusterName, hostAliases, type MeshHost, type PortRoutes, type RouteRule } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type {
  Route,
  RouteAction,
  VirtualHost,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { adsConfigSource } from './parts.ts';
import { compileAction } from './route-action.ts';
import { filterConfigs } from './route-filters.ts';
import { headerLists } from './route-headers.ts';
import { compileMatch } from './route-match.ts';
import { isOpaque } from './tcp-link.ts';

/** As in Istio, a route has no time limit unless it says so; Envoy's default would be 15 s. */
const noTimeout = { seconds: 0, nanos: 0 };
/** Istio's default of two more tries, as far as nothing has been sent: a repetition is safe for any method then. */
const retryPolicy = { retryOn: 'connect-failure', numRetries: 2 };
/** As Istio's; Envoy's own limit is 4 KiB. */
const maxDirectResponseBodySizeBytes = 1024 * 1024;
/** The port that a URL need not name. */
const defaultHttpPort = 80;

/** Every authority by which clients of a namespace may ask for one port of a host, in lower case. */
export function domainsOf({ host, service }: MeshHost, port: number, namespace: string): string[] {
  const names = service === null ? [host] : hostAliases(service, namespace);
  return names.flatMap((name) =>
    port === defaultHttpPort ? [`${name}:${port}`, name] : [`${name}:${port}`],
  );
}

/** The virtual host of one port of a host. */
export function virtualHost(
  host: string,
  routes: PortRoutes,
  domains: readonly string[],
): DeepPartial<VirtualHost> {
  return {
    name: `${host}:${routes.port}`,
    domains: [...domains],
    routes: routes.rules.map(compileRule),
    retryPolicy,
  };
}

/** A virtual host that sends everything to one cluster. */
export function catchAll(name: string, cluster: string): DeepPartial<VirtualHost> {
  return {
    name,
    domains: ['*'],
    routes: [{ ...everything, name: 'default', ...toCluster(cluster) }],
    retryPolicy,
  };
}

/** The same for hosts that only their callers know, also by CONNECT. */
export function anywhere(name: string, cluster: string): DeepPartial<VirtualHost> {
  const { routes = [], ...host } = catchAll(name, cluster);
  return { ...host, routes: [tunnel(cluster), ...routes] };
}

/** CONNECT is ended here, and its bytes go to the cluster as they are. */
function tunnel(cluster: string): DeepPartial<Route> {
  const { value } = toCluster(cluster).action;
  return {
    name: 'connect',
    match: { pathSpecifier: { $case: 'connectMatcher', value: {} } },
    action: {
      $case: 'route',
      value: { ...value, upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] },
    },
  };
}

/** For a port that speaks no HTTP: CONNECT leads there; other requests are told so, and go nowhere. */
function opaquePort(host: string, port: number, domains: readonly string[]): DeepPartial<VirtualHost> {
  const text = `${host}:${port} is not HTTP: connect to it by --upstream, or by CONNECT`;
  const { routes = [], ...rest } = misdirected(`${host}:${port}`, domains, text);
  return { ...rest, routes: [tunnel(clusterName(port, '', host)), ...routes] };
}

/** For a dependency whose address only its callers know. */
export function unreachableByAddress(host: string, port: number): DeepPartial<VirtualHost> {
  const text = `${host} has the resolution NONE: ask for it by HTTP_PROXY, or with interception`;
  return misdirected(`${host}:${port}`, ['*'], text);
}

/** For requests to hosts that nobody knows, where they may not leave: Istio's answer. */
export function blockAll(): DeepPartial<VirtualHost> {
  const action = { $case: 'directResponse' as const, value: { status: 502 } };
  return { name: 'block_all', domains: ['*'], routes: [{ ...everything, name: 'block_all', action }] };
}

function misdirected(name: string, domains: readonly string[], text: string): DeepPartial<VirtualHost> {
  const body = { specifier: { $case: 'inlineString' as const, value: `${text}\n` } };
  const action = { $case: 'directResponse' as const, value: { status: 421, body } };
  return { name, domains: [...domains], routes: [{ ...everything, name: 'default', action }] };
}

/** The virtual host of one port, whatever it speaks. */
export function portHost(
  host: string,
  routes: PortRoutes,
  domains: readonly string[],
): DeepPartial<VirtualHost> {
  return isOpaque(routes.protocol)
    ? opaquePort(host, routes.port, domains)
    : virtualHost(host, routes, domains);
}

/** The rules for a port that the mesh does not know: a cluster that does not exist, which proxies answer with 503. */
export function unknownPort(host: string, port: number): DeepPartial<VirtualHost> {
  return catchAll(`${host}:${port}`, clusterName(port, '', host));
}

/**
 * A virtual host as a piece of an encoded route configuration: protobuf lets messages be put together by writing one
 * behind the other, so each virtual host is encoded once and for all configurations that have it.
 */
export function encodeVirtualHost(host: DeepPartial<VirtualHost>): Uint8Array {
  return RouteConfiguration.encode(RouteConfiguration.fromPartial({ virtualHosts: [host] })).finish();
}

/** The virtual host in such a piece, without the tag and the length before it. */
export function virtualHostIn(piece: Uint8Array): Uint8Array {
  let start = 1;
  while (piece[start]! >= 0x80) start++;
  return piece.subarray(start + 1);
}

/** A route configuration whose virtual hosts are resources of their own. */
export function routeConfigurationByVhds(name: string): Uint8Array {
  const message = { name, validateClusters: false, vhds: { configSource: adsConfigSource } };
  return RouteConfiguration.encode(RouteConfiguration.fromPartial(message)).finish();
}

/** A route configuration of encoded virtual hosts. */
export function routeConfiguration(name: string, virtualHosts: readonly Uint8Array[]): Uint8Array {
  // Clusters may come after the routes that name them; requests get 503 until then.
  const head = RouteConfiguration.fromPartial({
    name,
    validateClusters: false,
    maxDirectResponseBodySizeBytes,
  });
  return Buffer.concat([RouteConfiguration.encode(head).finish(), ...virtualHosts]);
}

const everything: DeepPartial<Route> = { match: { pathSpecifier: { $case: 'prefix', value: '/' } } };

function toCluster(cluster: string): {
  readonly action: { readonly $case: 'route'; readonly value: DeepPartial<RouteAction> };
} {
  return {
    action: {
      $case: 'route',
      value: { clusterSpecifier: { $case: 'cluster', value: cluster }, timeout: noTimeout },
    },
  };
}

function compileRule({
  name,
  match,
  action,
  headers,
  fault,
  cors,
  statPrefix,
}: RouteRule): DeepPartial<Route> {
  return {
    name,
    match: compileMatch(match),
    action: compileAction(action),
    ...headerLists(headers),
    ...(fault === null && cors === null ? {} : { typedPerFilterConfig: filterConfigs(fault, cors) }),
    statPrefix,
  };
}
