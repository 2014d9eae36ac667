export {
  type Certificate,
  certificateOf,
  certificateSha256,
  encodeCertificates,
  parseCertificate,
  parseCertificates,
  spiffeIdOf,
} from './certificate.ts';
export { type CertificateExtensions, ExtendedKeyUsageOid, type KeyUsage } from './certificate-extensions.ts';
export { ConnectionGate, type ConnectionGateOptions, type RemoteEnd } from './connection-gate.ts';
export { createCertificateRequest } from './certificate-request.ts';
export { writeFileAtomically } from './atomic-file.ts';
export { WorkloadCertificate, acceptIssuedCertificate } from './issued-certificate.ts';
export { type JoinOptions, joinMesh } from './join.ts';
export { JoinToken, parseJoinToken } from './join-token.ts';
export { type KeyPair, exportPrivateKey, generateKeyPair, importPrivateKey } from './key-pair.ts';
export { type PemLabel, decodePem, encodePem } from './pem.ts';
export {
  type Renewable,
  type RenewalOptions,
  RenewalSchedule,
  type Validity,
  needsRenewal,
  renewalTimeMs,
} from './renewal-schedule.ts';
export {
  type SpiffeId,
  type SpiffeIdParts,
  type TrustDomain,
  controlPlaneNamespace,
  controlPlaneServiceAccount,
  controlPlaneSpiffeId,
  namespaceOf,
  parseSpiffeId,
  parseTrustDomain,
  parseTrustDomainUri,
  serviceAccountOf,
  spiffeIdParts,
  trustDomainOf,
  trustDomainUri,
  workloadSpiffeId,
} from './spiffe-id.ts';
export {
  type TrustBundle,
  type TrustBundles,
  parseTrustBundle,
  trustBundleOf,
  trustBundles,
} from './trust-bundle.ts';
export {
  type PeerFault,
  type PeerRefusal,
  type PeerRole,
  type VerifiedPeer,
  verifyChain,
} from './verify-chain.ts';
export { type PeerSocket, handshakeError, presentedChain, verifyPeer } from './verify-peer.ts';
export {
  type IdentityEnvironment,
  type LoadIdentityOptions,
  type RequestCertificate,
  WorkloadIdentity,
  loadWorkloadIdentity,
} from './workload-identity.ts';
