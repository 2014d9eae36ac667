/** Clusters: the service's port or a part of its instances, the sidecar's own application, everything else. */
import {
  clusterName,
  type ConnectionPolicy,
  type DeclaredService,
  type HostView,
  type PortRoutes,
  type TrafficPolicy,
} from '@heddle/model';
import { type DeepPartial, encodeMessage, packAny, TypeUrl } from '@heddle/xds';
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  type Cluster,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { Http2ProtocolOptions } from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { HttpProtocolOptions } from '@heddle/xds/api/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import {
  blackHoleCluster,
  inboundClusterName,
  originalDestinationCluster,
  type PassthroughFamily,
  passthroughCluster,
} from './names.ts';
import { connectionOptions, http2Options, meshDefaults, policyFields } from './cluster-policy.ts';
import { type ClusterEndpoint, discoveryOf } from './declared-clusters.ts';
import type { ClientKind, InterceptionMode } from './node-metadata.ts';
import { adsConfigSource, linkProtocols, socketAddress, tlsValidation, tlsVersion13 } from './parts.ts';
import { certificateSecret } from './names.ts';
import { isOpaque, linkAge, linkOptions, maxLinkStreams, plainMark } from './tcp-link.ts';
import { originatedTls, originatesTls } from './tls-origination.ts';

/** Istio's default. */
const connectTimeout = { seconds: 10, nanos: 0 };

/**
 * The link between sidecars: requests to one peer share few connections of HTTP/2, those of HTTP/1.1 callers too. A peer that
 * doesn't offer it is spoken to by HTTP/1.1.
 */
function negotiated(
  connections: ConnectionPolicy | null,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  return httpProtocolOptions({
    commonHttpProtocolOptions: connectionOptions(connections, linkAge.seconds),
    upstreamProtocolOptions: {
      $case: 'autoConfig',
      value: { httpProtocolOptions: {}, http2ProtocolOptions: http2Options(connections, maxLinkStreams) },
    },
  });
}

const http2Only = explicitHttp2({});
/** Nobody knows what is spoken there but the client. */
const asCame = httpProtocolOptions({
  upstreamProtocolOptions: {
    $case: 'useDownstreamProtocolConfig',
    value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
  },
});
/** The link of TCP connections. Those that are no streams are made with the same security, but for ALPN. */
function tunnels(
  connections: ConnectionPolicy | null,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  const options = { ...linkOptions, ...http2Options(connections, maxLinkStreams) };
  return explicitHttp2(options, connectionOptions(connections, linkAge.seconds));
}

/** Links of which some are in the clear, where nothing is agreed on. To applications that speak HTTP/2 only: */
function http2Links(
  connections: ConnectionPolicy | null,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  return explicitHttp2(
    http2Options(connections, maxLinkStreams),
    connectionOptions(connections, linkAge.seconds),
  );
}

/** To others, all of which speak HTTP/1.1. */
function http1Links(
  connections: ConnectionPolicy | null,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  return httpProtocolOptions({
    commonHttpProtocolOptions: connectionOptions(connections, linkAge.seconds),
    upstreamProtocolOptions: {
      $case: 'explicitHttpConfig',
      value: { protocolConfig: { $case: 'httpProtocolOptions', value: {} } },
    },
  });
}

const linkKinds = { negotiated, tunnels, http1Links, http2Links };
/** What links are where no DestinationRule says anything: the same for all clusters, and made once. */
const usualLinks = {
  negotiated: negotiated(null),
  tunnels: tunnels(null),
  http1Links: http1Links(null),
  http2Links: http2Links(null),
};
/** What they agree on: nothing for bytes, and only what is spoken where it is not a matter of agreement. */
const linkAlpn: Readonly<Record<keyof typeof usualLinks, string[]>> = {
  negotiated: linkProtocols,
  tunnels: [],
  http1Links: ['http/1.1'],
  http2Links: ['h2'],
};

const rawBuffer = {
  name: 'envoy.transport_sockets.raw_buffer',
  configType: { $case: 'typedConfig' as const, value: packAny(TypeUrl.rawBuffer, {}) },
};

function explicitHttp2(
  options: DeepPartial<Http2ProtocolOptions>,
  commonHttpProtocolOptions?: DeepPartial<HttpProtocolOptions['commonHttpProtocolOptions']>,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  return httpProtocolOptions({
    commonHttpProtocolOptions,
    upstreamProtocolOptions: {
      $case: 'explicitHttpConfig',
      value: { protocolConfig: { $case: 'http2ProtocolOptions', value: options } },
    },
  });
}

function httpProtocolOptions(
  options: DeepPartial<HttpProtocolOptions>,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  return {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': packAny(
      TypeUrl.upstreamHttpProtocolOptions,
      options,
    ),
  };
}

/** One cluster to be made for a host as a view shows it: a port, and all instances or those of a subset. */
export interface ClusterPlan {
  readonly name: string;
  readonly port: number;
  /** '' for all instances. */
  readonly subset: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the port's instances speak. */
  readonly protocol: string;
  /** What DestinationRules say; absent where they say nothing. */
  readonly policy?: TrafficPolicy;
}

const noLabels = {};

/** The clusters of a host: for each port one with all instances, then one per subset. */
export function planClusters(host: string, view: HostView): ClusterPlan[] {
  const plan = (
    { port, protocol }: PortRoutes,
    subset: string,
    labels: Readonly<Record<string, string>>,
  ): ClusterPlan => {
    const policy = view.policies.find((placed) => placed.port === port && placed.subset === subset)?.policy;
    const name = clusterName(port, subset, host);
    return { name, port, subset, labels, protocol, ...(policy === undefined ? {} : { policy }) };
  };
  return view.ports.flatMap((port) => [
    plan(port, '', noLabels),
    ...view.subsets.map(({ name, labels }) => plan(port, name, labels)),
  ]);
}

/**
 * A cluster whose endpoints come by EDS and whose peers must prove one of `identities`: those of all instances of the
 * service, not only of the subset, so that moving an instance between subsets changes no cluster.
 */
export function outboundCluster(
  plan: ClusterPlan,
  host: string,
  identities: readonly string[],
  hasPlain = false,
): Uint8Array {
  return encodeCluster({
    name: plan.name,
    ...discoveryOf(plan, 'STATIC', []),
    connectTimeout,
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
    ...policyFields(plan.policy ?? null),
    ...linkOf(plan, host, identities, hasPlain),
  });
}

/** The cluster of a service that objects declare; with `identities` its peers must prove one, null is for the clear. */
export function declaredCluster(
  plan: ClusterPlan,
  declared: DeclaredService,
  endpoints: readonly ClusterEndpoint[],
  identities: readonly string[] | null,
  hasPlain = false,
): Uint8Array {
  const { resolution } = declared;
  return encodeCluster({
    name: plan.name,
    connectTimeout,
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
    ...policyFields(plan.policy ?? null),
    ...discoveryOf(plan, resolution, endpoints),
    ...declaredLink(plan, declared, identities, hasPlain),
  });
}

/** As a DestinationRule wants it, or else mutual TLS of the mesh where anybody has an identity. */
function declaredLink(
  plan: ClusterPlan,
  { host, resolution, subjectAltNames }: DeclaredService,
  identities: readonly string[] | null,
  hasPlain: boolean,
): DeepPartial<Cluster> {
  const policy = plan.policy?.tls ?? null;
  const plain = plainLink(plan, resolution);
  if (policy !== null && originatesTls(policy)) {
    const isHttp2 = plan.protocol !== 'http' && !isOpaque(plan.protocol);
    return { ...plain, transportSocket: originatedTls({ policy, host, subjectAltNames, isHttp2 }) };
  }
  // Whoever wants TLS of the mesh gets it, whether anybody is known to have an identity or not.
  if (identities === null && policy?.mode !== 'ISTIO_MUTUAL') return plain;
  return linkOf(plan, host, identities ?? subjectAltNames, hasPlain);
}

/**
 * Mutual TLS, unless a DestinationRule wants it in the clear, or nothing and `hasPlain`: some endpoints are marked as such
 * that have no other. Between sidecars of the mesh nothing less is made of rules that want TLS of another kind.
 */
function linkOf(
  plan: ClusterPlan,
  host: string,
  identities: readonly string[],
  hasPlain: boolean,
): DeepPartial<Cluster> {
  const policy = plan.policy?.tls ?? null;
  if (policy?.mode === 'DISABLE') return plainLink(plan, 'STATIC');
  const own = policy === null || originatesTls(policy) ? null : policy;
  const expected = own !== null && own.subjectAltNames.length > 0 ? own.subjectAltNames : identities;
  return meshLink(plan, expected, own?.sni ?? sniOf(plan, host), hasPlain && policy === null);
}

function sniOf({ port, subset }: ClusterPlan, host: string): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

function meshLink(
  plan: ClusterPlan,
  identities: readonly string[],
  sni: string,
  hasPlain: boolean,
): DeepPartial<Cluster> {
  const kind = linkKindOf(plan.protocol, hasPlain);
  const connections = plan.policy?.connections ?? null;
  const tls = packAny(TypeUrl.upstreamTlsContext, {
    commonTlsContext: {
      tlsParams: tlsVersion13,
      tlsCertificateSdsSecretConfigs: [{ name: certificateSecret, sdsConfig: adsConfigSource }],
      validationContextType: tlsValidation(identities),
      alpnProtocols: linkAlpn[kind],
    },
    sni,
  });
  return {
    typedExtensionProtocolOptions: linkProtocol(kind, connections),
    ...(hasPlain
      ? { transportSocketMatches: [{ name: 'plain', match: plainMark, transportSocket: rawBuffer }] }
      : {}),
    transportSocket: {
      name: 'envoy.transport_sockets.tls',
      configType: { $case: 'typedConfig', value: tls },
    },
  };
}

function linkKindOf(protocol: string, hasPlain: boolean): keyof typeof usualLinks {
  if (isOpaque(protocol)) return 'tunnels';
  if (!hasPlain) return 'negotiated';
  return protocol === 'http' ? 'http1Links' : 'http2Links';
}

function linkProtocol(
  kind: keyof typeof usualLinks,
  connections: ConnectionPolicy | null,
): DeepPartial<Cluster['typedExtensionProtocolOptions']> {
  if (connections === null) return usualLinks[kind];
  return linkKinds[kind](connections);
}

/** No mesh at the other end: what the port's protocol says is spoken, as HTTP/1.1 where it says just HTTP. */
function plainLink(
  { protocol, policy }: ClusterPlan,
  resolution: DeclaredService['resolution'],
): DeepPartial<Cluster> {
  const connections = policy?.connections ?? null;
  if (isOpaque(protocol)) return {};
  const common = connectionOptions(connections, null);
  if (protocol !== 'http')
    return { typedExtensionProtocolOptions: explicitHttp2(http2Options(connections, null), common) };
  if (resolution === 'NONE') return { typedExtensionProtocolOptions: asCame };
  return connections === null
    ? {}
    : {
        typedExtensionProtocolOptions: httpProtocolOptions({
          commonHttpProtocolOptions: common,
          upstreamProtocolOptions: {
            $case: 'explicitHttpConfig',
            value: { protocolConfig: { $case: 'httpProtocolOptions', value: {} } },
          },
        }),
      };
}

/** The sidecar's own application, on loopback. `isHttp2`: it speaks HTTP/2, without TLS and without being asked. */
export function inboundCluster(servicePort: number, appPort: number, isHttp2: boolean): Uint8Array {
  const name = inboundClusterName(servicePort);
  const endpoint = { address: socketAddress({ address: '127.0.0.1', port: appPort }) };
  return encodeCluster({
    name,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout,
    ...(isHttp2 ? { typedExtensionProtocolOptions: http2Only } : {}),
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { $case: 'endpoint', value: endpoint } }] }],
    },
  });
}

/**
 * Hosts outside of the mesh, plain, where the request's authority points: the listener that `HTTP_PROXY` names leads here. An Envoy
 * takes no protocol options there without those of TLS, which it then does without: HTTP/1.1.
 */
export function passthrough(client: ClientKind): Uint8Array {
  return encodeCluster({
    name: passthroughCluster,
    clusterDiscoveryType: { $case: 'clusterType', value: { name: 'envoy.clusters.dynamic_forward_proxy' } },
    connectTimeout,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    ...(client === 'envoy' ? {} : { typedExtensionProtocolOptions: asCame }),
  });
}

/** Where what nobody knows ends, where only what is known may be reached. */
export function blackHole(): Uint8Array {
  return encodeCluster({
    name: blackHoleCluster,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout,
    loadAssignment: { clusterName: blackHoleCluster },
  });
}

/** Where an intercepted connection was meant to go, plain. */
export function originalDestination(): Uint8Array {
  return encodeCluster({
    name: originalDestinationCluster,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    connectTimeout,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    typedExtensionProtocolOptions: asCame,
  });
}

/**
 * The machine's own ports as callers have addressed them. By REDIRECT connections come from an address by which the rules of
 * interception know that they have been through the proxy; by TPROXY they come from the caller.
 */
export function inboundPassthrough({ name, source }: PassthroughFamily, mode: InterceptionMode): Uint8Array {
  const sourceAddress = { address: source, portSpecifier: { $case: 'portValue' as const, value: 0 } };
  return encodeCluster({
    name,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    connectTimeout,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    ...(mode === 'REDIRECT' ? { upstreamBindConfig: { sourceAddress } } : {}),
  });
}

function encodeCluster(cluster: DeepPartial<Cluster>): Uint8Array {
  return encodeMessage(TypeUrl.cluster, { ...meshDefaults, ...cluster });
}
