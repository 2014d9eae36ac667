import { errorMessage, type Logger } from '@heddle/base';
import { parseTrustBundle, type TrustBundle, type TrustDomain } from '@heddle/identity';
import { SecretName } from '../sidecar/link-secrets.ts';
import type { CertificateSecret, SecretProvider } from '../tls/link-security.ts';
import type { WorkerSecrets } from './worker-messages.ts';

/** The identity of a sidecar on its worker threads: what the main thread has said last. */
export class ReceivedSecrets implements SecretProvider {
  private readonly logger: Logger;
  private current: { readonly certificate: CertificateSecret; readonly bundle: TrustBundle } | null = null;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  replace({ certificateChain, privateKey, certificateVersion, trustDomain, roots }: WorkerSecrets): void {
    // The main thread has parsed both already.
    const bundle = parseTrustBundle(trustDomain as TrustDomain, roots);
    if (!bundle.ok) {
      this.logger.error('The trust bundle cannot be read', {
        reason: errorMessage(bundle.error[0]?.message),
      });
      return;
    }
    const certificate = { certificateChain, privateKey, version: certificateVersion };
    this.current = { certificate, bundle: bundle.value };
  }

  certificate(name: string): CertificateSecret | null {
    return name === SecretName.certificate ? (this.current?.certificate ?? null) : null;
  }

  trustBundle(name: string): TrustBundle | null {
    return name === SecretName.trustBundle ? (this.current?.bundle ?? null) : null;
  }
}
