import type { TrustBundle, WorkloadIdentity } from '@heddle/identity';
import type { CertificateSecret, SecretProvider } from '../tls/link-security.ts';

/** SDS names as Istio's: a proxy resolves both by itself, the private key never crosses a network. */
export const SecretName = { certificate: 'default', trustBundle: 'ROOTCA' } as const;

/** The secrets of a sidecar are its identity's. */
export class IdentitySecrets implements SecretProvider {
  private readonly identity: Pick<WorkloadIdentity, 'certificate' | 'bundle'>;

  constructor(identity: Pick<WorkloadIdentity, 'certificate' | 'bundle'>) {
    this.identity = identity;
  }

  certificate(name: string): CertificateSecret | null {
    return name === SecretName.certificate ? this.identity.certificate : null;
  }

  trustBundle(name: string): TrustBundle | null {
    return name === SecretName.trustBundle ? this.identity.bundle : null;
  }
}
