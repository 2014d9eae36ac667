/** Pieces that several kinds of resources have in common. */
import type { DeepPartial } from '@heddle/xds';
import type { Address } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { ApiVersion, type ConfigSource } from '@heddle/xds/api/envoy/config/core/v3/config_source.ts';
import {
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
  type TlsParameters,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import type { CommonTlsContext } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { trustBundleSecret } from './names.ts';
import type { Bind } from './node-metadata.ts';

/** From the stream on which the resource itself came. */
export const adsConfigSource: DeepPartial<ConfigSource> = {
  configSourceSpecifier: { $case: 'ads', value: {} },
  resourceApiVersion: ApiVersion.V3,
};

/** TLS 1.3 and nothing else: both ends are ours. */
export const tlsVersion13: DeepPartial<TlsParameters> = {
  tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
  tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
};

/** The peer must have a certificate of the mesh, and one of these identities where any is given. */
export function tlsValidation(
  identities: readonly string[],
): DeepPartial<NonNullable<CommonTlsContext['validationContextType']>> {
  const matchTypedSubjectAltNames = identities.map((identity) => ({
    sanType: SubjectAltNameMatcher_SanType.URI,
    matcher: { matchPattern: { $case: 'exact' as const, value: identity } },
  }));
  return {
    $case: 'combinedValidationContext',
    value: {
      defaultValidationContext: { matchTypedSubjectAltNames },
      validationContextSdsSecretConfig: { name: trustBundleSecret, sdsConfig: adsConfigSource },
    },
  };
}

export function socketAddress({ address, port }: Bind): DeepPartial<Address> {
  return {
    address: {
      $case: 'socketAddress',
      value: { address, portSpecifier: { $case: 'portValue', value: port } },
    },
  };
}

/** What sidecars offer each other by ALPN, best first. */
export const linkProtocols: string[] = ['h2', 'http/1.1'];
