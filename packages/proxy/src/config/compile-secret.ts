import { CertificateValidationContext_TrustChainVerification as TrustChainVerification } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import type { Secret } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { ProblemList } from './problem-list.ts';

/**
 * The roots of a trust bundle, as PEM; null with a problem noted. A certificate is refused: the workload's own key is made
 * in the sidecar and never travels.
 */
export function compileTrustBundle(secret: Secret, problems: ProblemList): string | null {
  if (secret.type?.$case === 'tlsCertificate') {
    problems.unsupported('tls_certificate', 'a private key from the control plane');
    return null;
  }
  if (secret.type?.$case === 'sessionTicketKeys') {
    problems.unsupported('session_ticket_keys', 'ticket keys by xDS');
    return null;
  }
  const context = secret.type?.value;
  if (context === undefined) {
    problems.invalid('validation_context', 'is required');
    return null;
  }
  if (context.matchTypedSubjectAltNames.length > 0) {
    problems.unsupported('validation_context.match_typed_subject_alt_names');
  }
  if (context.verifyCertificateHash.length > 0)
    problems.unsupported('validation_context.verify_certificate_hash');
  if (context.verifyCertificateSpki.length > 0)
    problems.unsupported('validation_context.verify_certificate_spki');
  if (context.trustChainVerification !== TrustChainVerification.VERIFY_TRUST_CHAIN) {
    problems.unsupported('validation_context.trust_chain_verification', 'ACCEPT_UNTRUSTED');
  }
  const source = context.trustedCa?.specifier;
  if (source?.$case === 'inlineString') return source.value;
  if (source?.$case === 'inlineBytes') return Buffer.from(source.value).toString('latin1');
  problems.unsupported('validation_context.trusted_ca', 'anything but inline_bytes and inline_string');
  return null;
}
