export {
  type ApprovedRequest,
  CertificateAuthority,
  type CertificateAuthorityOptions,
  type IssuedCertificate,
  type ServerNames,
} from './certificate-authority.ts';
export { ControlPlaneIdentity, type ControlPlaneIdentityOptions } from './control-plane-identity.ts';
export {
  Enrolment,
  type EnrolmentAnswer,
  type EnrolmentOptions,
  type EnrolmentRequest,
} from './enrolment.ts';
export { type IssuanceLog, type IssuanceRecord, MemoryIssuanceLog } from './issuance-log.ts';
export { JoinServer, type JoinServerOptions } from './join-server.ts';
export { type JoinTokenOptions, JoinTokens, type TokenRefusal, type TokenSubject } from './join-tokens.ts';
export type { Root } from './root.ts';
export { type RootStoreOptions, openRoot } from './root-store.ts';
export type { ServiceBinding } from './service-binding.ts';
export { type JoinTokenRecord, MemoryTokenStore, type TokenStore } from './token-store.ts';
