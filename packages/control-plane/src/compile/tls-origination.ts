/** TLS that sidecars begin with servers outside of the mesh, as DestinationRules want it: for an application that speaks none. */
import type { TlsPolicy } from '@heddle/model';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { TransportSocket } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcher,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { tlsVersion13 } from './parts.ts';

/** Where Debian and its like keep the authorities that everybody trusts; `caCertificates` names others. */
const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt';

export interface OriginatedTls {
  readonly policy: TlsPolicy;
  /** The service's name, which its certificate must show unless other names are given. */
  readonly host: string;
  /** Those that its ServiceEntry gives. */
  readonly subjectAltNames: readonly string[];
  readonly isHttp2: boolean;
}

/** Whether a policy wants TLS with certificates that are not the mesh's. */
export function originatesTls({ mode }: TlsPolicy): boolean {
  return mode === 'SIMPLE' || mode === 'MUTUAL';
}

/** The server's certificate is always verified, its name too. */
export function originatedTls(options: OriginatedTls): DeepPartial<TransportSocket> {
  const { policy, host, isHttp2 } = options;
  const { clientCertificate, privateKey, caCertificates } = policy;
  const hasOwn = policy.mode === 'MUTUAL' && clientCertificate !== undefined && privateKey !== undefined;
  const tls = packAny(TypeUrl.upstreamTlsContext, {
    commonTlsContext: {
      tlsParams: { tlsMaximumProtocolVersion: tlsVersion13.tlsMaximumProtocolVersion! },
      tlsCertificates: hasOwn
        ? [{ certificateChain: file(clientCertificate), privateKey: file(privateKey) }]
        : [],
      validationContextType: {
        $case: 'validationContext',
        value: {
          trustedCa: file(caCertificates ?? systemAuthorities),
          matchTypedSubjectAltNames: namesOf(options),
        },
      },
      alpnProtocols: isHttp2 ? ['h2'] : [],
    },
    sni: policy.sni ?? (host.startsWith('*') ? '' : host),
  });
  return { name: 'envoy.transport_sockets.tls', configType: { $case: 'typedConfig', value: tls } };
}

function namesOf({ policy, host, subjectAltNames }: OriginatedTls): DeepPartial<SubjectAltNameMatcher>[] {
  const given = policy.subjectAltNames.length > 0 ? policy.subjectAltNames : subjectAltNames;
  if (given.length > 0) return given.map(exactName);
  if (policy.sni !== null) return [exactName(policy.sni)];
  if (!host.startsWith('*')) return [exactName(host)];
  const matchPattern = { $case: 'suffix' as const, value: host.slice(1) };
  return [{ sanType: SanType.DNS, matcher: { matchPattern } }];
}

function exactName(name: string): DeepPartial<SubjectAltNameMatcher> {
  const sanType = name.includes('://') ? SanType.URI : SanType.DNS;
  return { sanType, matcher: { matchPattern: { $case: 'exact', value: name } } };
}

function file(filename: string): { specifier: { $case: 'filename'; value: string } } {
  return { specifier: { $case: 'filename', value: filename } };
}
