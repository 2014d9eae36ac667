import { type Clock, type HeddleError, type Logger, type Random, type Result, ok } from '@heddle/base';
import {
  RenewalSchedule,
  type Renewable,
  type SpiffeId,
  type Validity,
  type WorkloadCertificate,
  acceptIssuedCertificate,
  controlPlaneSpiffeId,
  generateKeyPair,
} from '@heddle/identity';
import { failure } from './ca-error.ts';
import type { CertificateAuthority, ServerNames } from './certificate-authority.ts';

export interface ControlPlaneIdentityOptions {
  readonly authority: CertificateAuthority;
  readonly names: ServerNames;
  readonly clock: Clock;
  readonly random?: Random;
  readonly logger: Logger;
}

/**
 * The certificate that the control plane's servers show. It is made anew, with a new key, at each start and at half of
 * its life; neither is ever written to disk, because the authority is at hand.
 */
export class ControlPlaneIdentity {
  readonly id: SpiffeId;
  private readonly options: ControlPlaneIdentityOptions;
  private readonly listeners = new Set<() => void>();
  private readonly schedule: RenewalSchedule;
  private current: WorkloadCertificate;

  private constructor(options: ControlPlaneIdentityOptions, first: WorkloadCertificate) {
    this.id = controlPlaneSpiffeId(options.authority.trustDomain);
    this.options = options;
    this.current = first;
    const renewable: Renewable = {
      validity: (): Validity => this.current,
      isUrgent: () => false,
      renew: () => this.renew(),
    };
    this.schedule = new RenewalSchedule({ ...options, renewable, name: this.id });
    this.schedule.start();
  }

  /** Makes the first certificate and keeps it fresh until `close`. */
  static async open(
    options: ControlPlaneIdentityOptions,
  ): Promise<Result<ControlPlaneIdentity, HeddleError>> {
    const first = await issue(options);
    return first.ok ? ok(new ControlPlaneIdentity(options, first.value)) : first;
  }

  /** In force. */
  get certificate(): WorkloadCertificate {
    return this.current;
  }

  /** Calls `listener` after each renewal, so that servers swap their contexts; the result stops that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  close(): void {
    this.schedule.close();
    this.listeners.clear();
  }

  private async renew(): Promise<Result<void, HeddleError>> {
    const next = await issue(this.options);
    if (!next.ok) return next;
    this.current = next.value;
    for (const listener of this.listeners) listener();
    return ok(undefined);
  }
}

async function issue(
  options: ControlPlaneIdentityOptions,
): Promise<Result<WorkloadCertificate, HeddleError>> {
  const { authority, clock, names } = options;
  const key = generateKeyPair();
  const id = controlPlaneSpiffeId(authority.trustDomain);
  try {
    const issued = await authority.issueControlPlane(key.publicKey, names);
    if (!issued.ok) return issued;
    const accepted = acceptIssuedCertificate(
      key,
      id,
      issued.value.certificateChain,
      authority.bundle,
      clock.now(),
    );
    if (accepted.ok) return accepted;
    return failure(
      'HEDDLE_CERTIFICATE_REFUSED',
      `The new certificate is not usable: ${accepted.error[0]?.message}.`,
    );
  } catch (error) {
    return failure('HEDDLE_CERTIFICATE_REFUSED', 'The new certificate could not be recorded.', error);
  }
}
