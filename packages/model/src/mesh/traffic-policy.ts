// What a DestinationRule says of how a host's endpoints are used, for one port and subset.
import type { DestinationRule } from '../manifest/object.ts';
import type { TrafficPolicy as WrittenPolicy } from '../schema/destination-rule.ts';
import { type BalancerPolicy, compileBalancer } from './balancer-policy.ts';
import { wholeMs } from './compile-action.ts';

/** Limits and times; null where nothing is said. Times are milliseconds. */
export interface ConnectionPolicy {
  readonly maxConnections: number | null;
  readonly connectTimeoutMs: number | null;
  readonly keepaliveTimeMs: number | null;
  readonly maxConnectionDurationMs: number | null;
  readonly maxPendingRequests: number | null;
  readonly maxRequests: number | null;
  readonly maxRequestsPerConnection: number | null;
  readonly maxRetries: number | null;
  readonly idleTimeoutMs: number | null;
  readonly maxConcurrentStreams: number | null;
  readonly http2KeepaliveMs: { readonly interval: number; readonly timeout: number } | null;
}

/** How connections to a host's endpoints are secured. */
export interface TlsPolicy {
  /** In the clear, with certificates of the mesh, or as servers outside of it want it. */
  readonly mode: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
  /** null for the mesh's own. */
  readonly sni: string | null;
  /** SPIFFE ids, or names, of which the endpoint must prove one; empty for those of the service. */
  readonly subjectAltNames: readonly string[];
  /** Files of the sidecar's machine: authorities, and what is shown to the server. */
  readonly caCertificates?: string;
  readonly clientCertificate?: string;
  readonly privateKey?: string;
}

/** How many requests may be tried again at once, by how many there are. */
export interface RetryBudget {
  readonly percent: number;
  readonly minConcurrency: number;
}

/** Null where nothing is said. */
export interface TrafficPolicy {
  readonly balancer: BalancerPolicy | null;
  readonly connections: ConnectionPolicy | null;
  readonly tls: TlsPolicy | null;
  readonly retryBudget: RetryBudget | null;
}

/** The policy of one port and subset, where it says anything. */
export interface PlacedPolicy {
  readonly port: number;
  /** '' for all instances. */
  readonly subset: string;
  readonly policy: TrafficPolicy;
}

/** The policies of a host's ports and subsets, by rules of which the older one counts. */
export function compilePolicies(rules: readonly DestinationRule[], ports: readonly number[]): PlacedPolicy[] {
  if (rules.length === 0) return [];
  const general = rules.find(({ spec }) => spec.trafficPolicy !== undefined)?.spec.trafficPolicy;
  const subsets = new Map<string, WrittenPolicy | undefined>([['', undefined]]);
  for (const { name, trafficPolicy } of rules.flatMap(({ spec }) => spec.subsets ?? []))
    if (!subsets.has(name)) subsets.set(name, trafficPolicy);
  return ports.flatMap((port) =>
    [...subsets].flatMap(([subset, own]): PlacedPolicy[] => {
      const policy = compilePolicy(mergePolicy(mergePolicy({}, general, port), own, port));
      return policy === null ? [] : [{ port, subset, policy }];
    }),
  );
}

/** As in Istio: what an inner level says replaces a whole section; what is said of a port replaces all that may be. */
function mergePolicy(outer: WrittenPolicy, inner: WrittenPolicy | undefined, port: number): WrittenPolicy {
  if (inner === undefined) return outer;
  const { portLevelSettings = [], ...own } = inner;
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const merged: WrittenPolicy = { ...outer, ...set };
  const atPort = portLevelSettings.find((settings) => settings.port?.number === port);
  if (atPort === undefined) return merged;
  const { loadBalancer, connectionPool, outlierDetection, tls } = atPort;
  return { ...merged, loadBalancer, connectionPool, outlierDetection, tls };
}

function compilePolicy(written: WrittenPolicy): TrafficPolicy | null {
  const policy = {
    balancer: compileBalancer(written.loadBalancer),
    connections: compileConnections(written.connectionPool),
    tls: compileTls(written.tls),
    retryBudget:
      written.retryBudget === undefined
        ? null
        : {
            percent: written.retryBudget.percent ?? 20,
            minConcurrency: written.retryBudget.minRetryConcurrency ?? 3,
          },
  };
  return Object.values(policy).every((part) => part === null) ? null : policy;
}

function compileConnections(pool: WrittenPolicy['connectionPool']): ConnectionPolicy | null {
  if (pool === undefined) return null;
  const { tcp = {}, http = {} } = pool;
  const { http2KeepAlive } = http;
  const ms = (text: string | undefined): number | null => (text === undefined ? null : wholeMs(text));
  // As in Istio, 0 and less say nothing.
  const limit = (value: number | undefined): number | null =>
    value !== undefined && value > 0 ? value : null;
  return {
    maxConnections: limit(tcp.maxConnections),
    connectTimeoutMs: ms(tcp.connectTimeout),
    keepaliveTimeMs: ms(tcp.tcpKeepalive?.time),
    maxConnectionDurationMs: ms(tcp.maxConnectionDuration),
    maxPendingRequests: limit(http.http1MaxPendingRequests),
    maxRequests: limit(http.http2MaxRequests),
    maxRequestsPerConnection: limit(http.maxRequestsPerConnection),
    maxRetries: limit(http.maxRetries),
    idleTimeoutMs: ms(http.idleTimeout),
    maxConcurrentStreams: limit(http.maxConcurrentStreams),
    http2KeepaliveMs:
      http2KeepAlive?.interval === undefined
        ? null
        : {
            interval: wholeMs(http2KeepAlive.interval),
            timeout: wholeMs(http2KeepAlive.timeout ?? http2KeepAlive.interval),
          },
  };
}

function compileTls(tls: WrittenPolicy['tls']): TlsPolicy | null {
  if (tls === undefined) return null;
  const { mode, sni, subjectAltNames = [], caCertificates, clientCertificate, privateKey } = tls;
  if (mode === undefined) return null;
  return {
    mode,
    sni: sni === undefined || sni === '' ? null : sni,
    subjectAltNames,
    ...(caCertificates === undefined || caCertificates === '' ? {} : { caCertificates }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(privateKey === undefined ? {} : { privateKey }),
  };
}
