/** Routes to services that objects declare, where it matters how requests come. */
import type { HostView, PortRoutes } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import type {
  Route,
  RouteAction,
  VirtualHost,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { passthroughCluster } from './names.ts';
import { portHost, unreachableByAddress } from './routes.ts';

/** Whether requests go where their callers were going. */
export function isByCaller({ declared }: HostView): boolean {
  return declared?.resolution === 'NONE';
}

/** Of requests that came to a proxy's own address only their authority says where they were going. */
export function byAuthority(virtualHost: DeepPartial<VirtualHost>): DeepPartial<VirtualHost> {
  const clusterSpecifier = { $case: 'cluster' as const, value: passthroughCluster };
  return withRoutes(virtualHost, (action) => ({ ...action, clusterSpecifier }));
}

/**
 * The only virtual host of a dependency's listener. Its callers name the listener, which nobody outside of the mesh would
 * know for himself: such requests get the dependency's own name.
 */
export function dependencyHost(host: string, view: HostView, port: PortRoutes): DeepPartial<VirtualHost> {
  const virtualHost = portHost(host, port, ['*']);
  if (view.declared?.isExternal !== true) return virtualHost;
  if (isByCaller(view)) return unreachableByAddress(host, port.port);
  const value = port.port === 80 || port.port === 443 ? host : `${host}:${port.port}`;
  const literal = { $case: 'hostRewriteLiteral' as const, value };
  return withRoutes(virtualHost, (action) => ({
    ...action,
    hostRewriteSpecifier: action.hostRewriteSpecifier ?? literal,
  }));
}

/** Changes what becomes of requests that are sent on. */
function withRoutes(
  virtualHost: DeepPartial<VirtualHost>,
  change: (action: DeepPartial<RouteAction>) => DeepPartial<RouteAction>,
): DeepPartial<VirtualHost> {
  const routes: DeepPartial<Route>[] = [];
  for (const route of virtualHost.routes ?? []) {
    const { action } = route;
    const isSentOn = action?.$case === 'route';
    routes.push(
      isSentOn ? { ...route, action: { $case: 'route', value: change(action.value ?? {}) } } : route,
    );
  }
  return { ...virtualHost, routes };
}
