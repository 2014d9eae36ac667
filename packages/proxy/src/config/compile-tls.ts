import { TypeUrl } from '@heddle/xds';
import type { TransportSocket } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  type CertificateValidationContext,
  SubjectAltNameMatcher_SanType as SanType,
  type TlsParameters,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import type { SdsSecretConfig } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { CommonTlsContext } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import type { DownstreamTlsConfig, UpstreamTlsConfig } from '../cluster/tls-config.ts';
import { compileStringMatcher } from '../routing/compile-matchers.ts';
import type { StringMatcher } from '../routing/string-matcher.ts';
import { checkConfigSource } from './config-source.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** The name of the workload's own certificate, the only one there is: its key is made in the sidecar. */
const ownCertificate = 'default';

/** What a cluster's transport socket says; null for plain connections, or with problems noted. */
export function compileUpstreamTls(
  socket: TransportSocket | undefined,
  path: string,
  problems: ProblemList,
): UpstreamTlsConfig | null {
  const config = socket?.configType?.value;
  if (socket === undefined) return null;
  const place = `${path}.typed_config`;
  if (config?.typeUrl !== TypeUrl.upstreamTlsContext) {
    refuseExtension(socket.name, config, place, problems);
    return null;
  }
  const context = unpackConfig(config, TypeUrl.upstreamTlsContext, place, problems);
  if (context === null) return null;
  const common = compileCommon(context.commonTlsContext, `${place}.common_tls_context`, problems);
  return common === null ? null : { ...common, sni: context.sni };
}

/** What a filter chain's transport socket says; null for plain connections, or with problems noted. */
export function compileDownstreamTls(
  socket: TransportSocket | undefined,
  path: string,
  problems: ProblemList,
): DownstreamTlsConfig | null {
  const config = socket?.configType?.value;
  if (socket === undefined) return null;
  const place = `${path}.typed_config`;
  if (config?.typeUrl !== TypeUrl.downstreamTlsContext) {
    refuseExtension(socket.name, config, place, problems);
    return null;
  }
  const context = unpackConfig(config, TypeUrl.downstreamTlsContext, place, problems);
  if (context === null) return null;
  if (context.requireClientCertificate !== true) {
    problems.unsupported(`${place}.require_client_certificate`, 'TLS without client certificates');
  }
  return compileCommon(context.commonTlsContext, `${place}.common_tls_context`, problems);
}

function compileCommon(
  common: CommonTlsContext | undefined,
  path: string,
  problems: ProblemList,
): DownstreamTlsConfig | null {
  if (common === undefined) {
    problems.invalid(path, 'is required');
    return null;
  }
  checkParameters(common.tlsParams, `${path}.tls_params`, problems);
  if (common.tlsCertificates.length > 0) {
    problems.unsupported(
      `${path}.tls_certificates`,
      undefined,
      'name one in tls_certificate_sds_secret_configs',
    );
  }
  const [certificate, second] = common.tlsCertificateSdsSecretConfigs;
  const certificatePath = `${path}.tls_certificate_sds_secret_configs`;
  if (certificate === undefined) problems.invalid(certificatePath, 'needs the name of a certificate');
  if (second !== undefined) problems.unsupported(`${certificatePath}[1]`, 'a second certificate');
  if (certificate !== undefined && certificate.name !== ownCertificate) {
    problems.unsupported(`${certificatePath}[0].name`, `a certificate other than "${ownCertificate}"`);
  }
  const certificateSecret =
    certificate === undefined ? '' : secretName(certificate, `${certificatePath}[0]`, problems);
  const { validationSecret, allowedSans } = compileValidation(common, path, problems);
  return { certificateSecret, validationSecret, allowedSans, alpn: common.alpnProtocols };
}

function checkParameters(parameters: TlsParameters | undefined, path: string, problems: ProblemList): void {
  if (parameters === undefined) return;
  const { tlsMinimumProtocolVersion: minimum, tlsMaximumProtocolVersion: maximum } = parameters;
  const only = 'anything but TLS 1.3';
  const isModern = (version: number): boolean =>
    version === TlsProtocol.TLS_AUTO || version === TlsProtocol.TLSv1_3;
  if (!isModern(minimum)) problems.unsupported(`${path}.tls_minimum_protocol_version`, only);
  if (!isModern(maximum)) problems.unsupported(`${path}.tls_maximum_protocol_version`, only);
  if (parameters.cipherSuites.length > 0) problems.unsupported(`${path}.cipher_suites`);
  if (parameters.ecdhCurves.length > 0) problems.unsupported(`${path}.ecdh_curves`);
}

function secretName(secret: SdsSecretConfig, path: string, problems: ProblemList): string {
  if (secret.name === '') problems.invalid(`${path}.name`, 'must not be empty');
  if (secret.sdsConfig !== undefined) checkConfigSource(secret.sdsConfig, `${path}.sds_config`, problems);
  return secret.name;
}

interface Validation {
  readonly validationSecret: string;
  readonly allowedSans: readonly StringMatcher[];
}

function compileValidation(common: CommonTlsContext, path: string, problems: ProblemList): Validation {
  const context = common.validationContextType;
  if (context?.$case === 'validationContextSdsSecretConfig') {
    const place = `${path}.validation_context_sds_secret_config`;
    return { validationSecret: secretName(context.value, place, problems), allowedSans: [] };
  }
  if (context?.$case === 'combinedValidationContext') {
    const place = `${path}.combined_validation_context`;
    const { validationContextSdsSecretConfig: secret, defaultValidationContext } = context.value;
    if (secret === undefined)
      problems.invalid(`${place}.validation_context_sds_secret_config`, 'is required');
    return {
      validationSecret:
        secret === undefined
          ? ''
          : secretName(secret, `${place}.validation_context_sds_secret_config`, problems),
      allowedSans: compileSans(defaultValidationContext, `${place}.default_validation_context`, problems),
    };
  }
  if (context === undefined) {
    problems.unsupported(
      path,
      'TLS that does not verify its peer',
      'name a trust bundle in validation_context_sds_secret_config',
    );
  } else {
    problems.unsupported(`${path}.validation_context`, undefined, 'use combined_validation_context');
  }
  return { validationSecret: '', allowedSans: [] };
}

function compileSans(
  context: CertificateValidationContext | undefined,
  path: string,
  problems: ProblemList,
): StringMatcher[] {
  const matchers: StringMatcher[] = [];
  if (context === undefined) return matchers;
  if (context.trustedCa !== undefined)
    problems.unsupported(`${path}.trusted_ca`, undefined, 'use the secret alone');
  for (const [index, san] of context.matchTypedSubjectAltNames.entries()) {
    const place = `${path}.match_typed_subject_alt_names[${index}]`;
    if (san.sanType !== SanType.URI) problems.unsupported(`${place}.san_type`, 'matching anything but URI');
    if (san.matcher === undefined) {
      problems.invalid(`${place}.matcher`, 'is required');
      continue;
    }
    const matcher = compileStringMatcher(san.matcher, `${place}.matcher`, problems);
    if (matcher !== null) matchers.push(matcher);
  }
  return matchers;
}
