import { assertNever } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import type { TransportSocket } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  type DownstreamTlsContext,
  DownstreamTlsContext_OcspStaplePolicy as OcspStaplePolicy,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import type { DownstreamTlsConfig, TicketPolicy, UpstreamTlsConfig } from '../tls/tls-config.ts';
import { compileCommon, staticSecret } from './compile-tls-common.ts';
import { compileTicketKeys } from './compile-tls-secrets.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { type TlsMaterials, noMaterials } from './tls-materials.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** Envoy's. */
const defaultMaxSessions = 1;
/** OpenSSL's and Envoy's. */
const defaultSessionTimeoutMs = 7_200_000;
/** RFC 8446 §4.6.1 allows no more. */
const maxSessionTimeoutMs = 604_800_000;
/** More than anybody needs at once for one address. */
const mostSessions = 1024;

const noCertificates = { tlsCertificates: [], tlsCertificateSdsSecretConfigs: [] };

/** What a cluster's transport socket says; null for plain connections, or with problems noted. */
export function compileUpstreamTls(
  socket: TransportSocket | undefined,
  path: string,
  problems: ProblemList,
  materials: TlsMaterials = noMaterials,
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
  const common = compileCommon(context.commonTlsContext, `${place}.common_tls_context`, materials, problems);
  if (common === null) return null;
  if (context.commonTlsContext?.validationContextType === undefined) {
    problems.unsupported(
      `${place}.common_tls_context`,
      'TLS that does not verify its peer',
      'give it a validation_context',
    );
  }
  const maxSessions = Math.min(context.maxSessionKeys ?? defaultMaxSessions, mostSessions);
  return { ...common, sni: context.sni, maxSessions };
}

/**
 * What a filter chain's transport socket says; null for plain connections, or with problems noted. Accepted without effect:
 * `disable_stateful_session_resumption` and `full_scan_certs_on_sni_mismatch`: neither is ever done.
 */
export function compileDownstreamTls(
  socket: TransportSocket | undefined,
  path: string,
  problems: ProblemList,
  materials: TlsMaterials = noMaterials,
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
  const commonPath = `${place}.common_tls_context`;
  const common = compileCommon(context.commonTlsContext, commonPath, materials, problems);
  if (common === null) return null;
  const { tlsCertificates, tlsCertificateSdsSecretConfigs } = context.commonTlsContext ?? noCertificates;
  if (tlsCertificates.length + tlsCertificateSdsSecretConfigs.length === 0) {
    problems.invalid(
      commonPath,
      'needs a certificate in tls_certificates or tls_certificate_sds_secret_configs',
    );
  }
  const requiresClientCertificate = context.requireClientCertificate ?? false;
  if (requiresClientCertificate && common.validation === null) {
    problems.unsupported(
      `${place}.require_client_certificate`,
      'asking for a certificate that nobody verifies',
      'give common_tls_context a validation_context',
    );
  }
  if (context.ocspStaplePolicy !== OcspStaplePolicy.LENIENT_STAPLING) {
    problems.unsupported(`${place}.ocsp_staple_policy`, 'stapling');
  }
  return {
    ...common,
    requiresClientCertificate,
    requiresServerName: context.requireSni ?? false,
    tickets: compileTickets(context, place, materials, problems),
    sessionTimeoutSeconds: compileSessionTimeout(context, place, problems),
  };
}

function compileSessionTimeout(context: DownstreamTlsContext, path: string, problems: ProblemList): number {
  const place = `${path}.session_timeout`;
  const ms = durationMs(context.sessionTimeout, defaultSessionTimeoutMs, place, problems);
  if (ms > maxSessionTimeoutMs) problems.invalid(place, 'must not be longer than seven days');
  return Math.floor(ms / 1000);
}

function compileTickets(
  context: DownstreamTlsContext,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): TicketPolicy {
  const keys = context.sessionTicketKeysType;
  switch (keys?.$case) {
    case undefined:
      return { kind: 'own' };
    case 'disableStatelessSessionResumption':
      return { kind: keys.value ? 'none' : 'own' };
    case 'sessionTicketKeys': {
      const place = `${path}.session_ticket_keys`;
      return { kind: 'given', keys: compileTicketKeys(keys.value, place, materials, problems) };
    }
    case 'sessionTicketKeysSdsSecretConfig': {
      const place = `${path}.session_ticket_keys_sds_secret_config`;
      const secret = staticSecret(keys.value, place, materials, problems);
      if (secret === 'missing') return { kind: 'own' };
      if (secret?.kind === 'ticket-keys') return { kind: 'given', keys: secret.keys };
      if (secret !== null) problems.invalid(`${place}.name`, `"${keys.value.name}" holds no ticket keys`);
      else problems.unsupported(place, 'ticket keys by xDS', 'name a static secret, without sds_config');
      return { kind: 'own' };
    }
    default:
      return assertNever(keys);
  }
}
