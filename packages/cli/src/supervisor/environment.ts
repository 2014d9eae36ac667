import type { BindAddress } from '@heddle/proxy';
import { usageError } from '../cli-error.ts';
import type { Upstream } from './workload-options.ts';

/** An upstream and the loopback listener that leads to it. */
export interface BoundUpstream extends Upstream {
  readonly bind: BindAddress;
}

export interface WorkloadAddresses {
  readonly appPort: number;
  readonly outboundProxy: BindAddress;
  readonly upstreams: readonly BoundUpstream[];
  /** Its connections are led to the sidecar without its doing; default false. */
  readonly isIntercepted?: boolean;
  /** The file from which its gRPC library learns of the mesh, where that is its proxy. */
  readonly grpcBootstrap?: string;
}

const loopbackNames = ['localhost', '127.0.0.1', '::1'];

/** `host:port`, as it stands in URLs. */
export function formatAddress(address: BindAddress): string {
  return address.address.includes(':')
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

/** What a gRPC channel is made for. */
function xdsTarget({ host, port }: Upstream): string {
  return `xds:///${host}:${port}`;
}

/** `ratings` → `RATINGS_URL`, `user-store.prod` → `USER_STORE_PROD_URL`; `kind` is `URL`, or `ADDRESS` for what is no HTTP. */
export function upstreamVariable(name: string, kind: 'URL' | 'ADDRESS' = 'URL'): string {
  return `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_${kind}`;
}

/** Appends loopback to a list of hosts that are not proxied, keeping what the user has there. */
export function extendNoProxy(existing: string | undefined): string {
  const present = (existing ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  if (present.includes('*')) return present.join(',');
  return [...present, ...loopbackNames.filter((name) => !present.includes(name))].join(',');
}

/**
 * The application's environment: where it listens, how it reaches others. `HTTP_PROXY` covers plain HTTP only, so
 * `HTTPS_PROXY` stays as it is: what is encrypted already can't be routed by path or header.
 */
export function applicationEnvironment(
  inherited: NodeJS.ProcessEnv,
  addresses: WorkloadAddresses,
): NodeJS.ProcessEnv {
  const environment = { ...inherited };
  // The launcher turns the compile cache on for Heddle itself; the application's start is its own business.
  if (inherited['HEDDLE_COMPILE_CACHE'] === '1') takeCompileCache(environment);
  delete environment['HEDDLE_COMPILE_CACHE'];
  // So is how many heaps it has.
  if (inherited['HEDDLE_MALLOC'] === '1') delete environment['MALLOC_ARENA_MAX'];
  delete environment['HEDDLE_MALLOC'];
  delete environment['HEDDLE_LAUNCHER'];
  // A secret that admits to the mesh: the sidecar has used it, the application has no business with it.
  delete environment['HEDDLE_TOKEN'];
  environment['PORT'] = String(addresses.appPort);
  if (addresses.grpcBootstrap !== undefined) {
    environment['GRPC_XDS_BOOTSTRAP'] = addresses.grpcBootstrap;
    // Without it gRPC for Node refuses authorization policies, and then serves nobody.
    environment['GRPC_XDS_EXPERIMENTAL_RBAC'] ??= 'true';
    for (const upstream of addresses.upstreams)
      environment[upstreamVariable(upstream.name, 'ADDRESS')] = xdsTarget(upstream);
    return environment;
  }
  if (addresses.isIntercepted !== true) nameProxy(environment, inherited, addresses.outboundProxy);
  for (const upstream of addresses.upstreams) {
    const address = formatAddress(upstream.bind);
    environment[upstreamVariable(upstream.name)] = `http://${address}`;
    environment[upstreamVariable(upstream.name, 'ADDRESS')] = address;
  }
  return environment;
}

/**
 * A sidecar's environment; `entry` is its program. Without what it would only hold in memory, as the launcher starts `heddle proxy`: the
 * roots of the mesh are the only ones that it trusts, and a built program starts nearly as fast without compiled code.
 */
export function sidecarEnvironment(inherited: NodeJS.ProcessEnv, entry: string): NodeJS.ProcessEnv {
  const environment = { ...inherited };
  // The token is in the options file, which is where the sidecar looks for it.
  delete environment['HEDDLE_TOKEN'];
  delete environment['NODE_EXTRA_CA_CERTS'];
  if (inherited['HEDDLE_COMPILE_CACHE'] === '1' && !entry.endsWith('.ts')) takeCompileCache(environment);
  return environment;
}

function takeCompileCache(environment: NodeJS.ProcessEnv): void {
  delete environment['NODE_COMPILE_CACHE'];
  delete environment['NODE_COMPILE_CACHE_PORTABLE'];
}

function nameProxy(
  environment: NodeJS.ProcessEnv,
  inherited: NodeJS.ProcessEnv,
  outboundProxy: BindAddress,
): void {
  const proxy = `http://${formatAddress(outboundProxy)}`;
  environment['HTTP_PROXY'] = proxy;
  environment['http_proxy'] = proxy;
  const noProxy = extendNoProxy(inherited['no_proxy'] ?? inherited['NO_PROXY']);
  environment['NO_PROXY'] = noProxy;
  environment['no_proxy'] = noProxy;
  environment['NODE_USE_ENV_PROXY'] = '1';
}

/** The values of `{{…}}` in the command's arguments. */
export function templateValues(addresses: WorkloadAddresses): ReadonlyMap<string, string> {
  const values = new Map([
    ['port', String(addresses.appPort)],
    ['proxy', formatAddress(addresses.outboundProxy)],
    ['proxy-port', String(addresses.outboundProxy.port)],
  ]);
  for (const upstream of addresses.upstreams) {
    if (values.has(upstream.name)) {
      throw usageError(
        `--upstream ${upstream.name} can't be told apart from the template {{${upstream.name}}}`,
        `write it with its namespace: --upstream ${upstream.name}.NAMESPACE:${upstream.port}`,
      );
    }
    const isGrpc = addresses.grpcBootstrap !== undefined;
    values.set(upstream.name, isGrpc ? xdsTarget(upstream) : formatAddress(upstream.bind));
  }
  // Programs that want host and port apart.
  for (const { name, bind, port } of addresses.upstreams) {
    if (addresses.grpcBootstrap !== undefined) values.set(`${name}-port`, String(port));
    if (!values.has(`${name}-port`)) values.set(`${name}-port`, String(bind.port));
  }
  return values;
}
