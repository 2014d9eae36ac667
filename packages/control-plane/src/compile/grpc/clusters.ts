/** Clusters as gRPC's clients take them, made of those that all others get. */
import { type DeepPartial, TypeUrl, unpackAny } from '@heddle/xds';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import { CertificateValidationContext } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import {
  CommonTlsContext,
  UpstreamTlsContext,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { StringMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/string.ts';
import { FieldNumber, certificateProvider, putField } from './fields.ts';

/** What came of something, and what of it gRPC does without. */
export interface Translated {
  /** Null where it can't be had at all. */
  readonly message: Uint8Array | null;
  /** Each what the client lacks, for a sentence. */
  readonly withheld: readonly string[];
}

export function grpcCluster(encoded: Uint8Array): Translated {
  const cluster = Cluster.decode(encoded);
  const { name, clusterDiscoveryType: discovery, edsClusterConfig, connectTimeout } = cluster;
  if (discovery?.$case !== 'type' || discovery.value !== Cluster_DiscoveryType.EDS)
    return { message: null, withheld: ['hosts outside of the mesh'] };
  const withheld: string[] = [];
  const isRing = cluster.lbPolicy === Cluster_LbPolicy.RING_HASH;
  if (!isRing && cluster.lbPolicy !== Cluster_LbPolicy.ROUND_ROBIN)
    withheld.push('load balancing other than round robin and ring hash');
  const result = Cluster.fromPartial({
    name,
    clusterDiscoveryType: discovery,
    connectTimeout,
    lbPolicy: isRing ? Cluster_LbPolicy.RING_HASH : Cluster_LbPolicy.ROUND_ROBIN,
    circuitBreakers: { thresholds: thresholds(cluster) },
  } satisfies DeepPartial<Cluster>);
  result.edsClusterConfig = edsClusterConfig;
  const { transportSocket } = cluster;
  if (transportSocket !== undefined) {
    const tls = transportSocket.configType?.value;
    if (tls?.typeUrl !== TypeUrl.upstreamTlsContext) {
      // Never without the security that was asked for.
      return { message: null, withheld: ['transport sockets other than TLS'] };
    }
    const identities = identitiesOf(tls);
    if (identities === null) return { message: null, withheld: ['TLS that is not the mesh’s own'] };
    // All connections are made with TLS: those that want none fail.
    if (cluster.transportSocketMatches.length > 0) withheld.push('instances that take no TLS');
    result.transportSocket = {
      name: 'envoy.transport_sockets.tls',
      configType: {
        $case: 'typedConfig',
        value: { typeUrl: TypeUrl.upstreamTlsContext, value: clientTls(identities) },
      },
    };
  }
  // Load is reported where this comes from. ConfigSource: self = 5, empty.
  putField(result, FieldNumber.loadReports, Buffer.from([(5 << 3) | 2, 0]));
  return { message: Cluster.encode(result).finish(), withheld };
}

function thresholds({
  circuitBreakers,
}: Cluster): DeepPartial<NonNullable<Cluster['circuitBreakers']>['thresholds']> {
  const found = circuitBreakers?.thresholds.find(({ priority }) => priority === 0);
  return found?.maxRequests === undefined ? [] : [{ maxRequests: found.maxRequests }];
}

/** The SPIFFE ids that a peer may have; null where it is told by anything else. */
function identitiesOf(tls: { typeUrl: string; value: Uint8Array }): string[] | null {
  const context = unpackAny(tls, TypeUrl.upstreamTlsContext);
  const common = context.ok ? context.value.commonTlsContext : undefined;
  if (common?.tlsCertificateSdsSecretConfigs[0]?.name !== 'default') return null;
  if (common.validationContextType?.$case !== 'combinedValidationContext') return null;
  const { defaultValidationContext, validationContextSdsSecretConfig } = common.validationContextType.value;
  if (validationContextSdsSecretConfig?.name !== 'ROOTCA') return null;
  const identities: string[] = [];
  for (const { matcher } of defaultValidationContext?.matchTypedSubjectAltNames ?? []) {
    if (matcher?.matchPattern?.$case !== 'exact') return null;
    identities.push(matcher.matchPattern.value);
  }
  return identities;
}

/** With the credentials that the bootstrap names. The trust domain is that of the roots, and of each identity. */
function clientTls(identities: readonly string[]): Uint8Array {
  const validation = CertificateValidationContext.fromPartial({});
  putField(validation, FieldNumber.rootsProvider, certificateProvider('ROOTCA'));
  for (const value of identities) {
    const matcher = StringMatcher.fromPartial({ matchPattern: { $case: 'exact', value } });
    putField(validation, FieldNumber.subjectAltNames, StringMatcher.encode(matcher).finish());
  }
  const common = CommonTlsContext.fromPartial({});
  common.validationContextType = { $case: 'validationContext', value: validation };
  putField(common, FieldNumber.certificateProvider, certificateProvider('default'));
  const context = UpstreamTlsContext.fromPartial({});
  context.commonTlsContext = common;
  return UpstreamTlsContext.encode(context).finish();
}
