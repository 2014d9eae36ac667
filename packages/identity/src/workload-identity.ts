import {
  type Clock,
  HeddleError,
  type Logger,
  type Problem,
  type Result,
  err,
  errorMessage,
  invariant,
  ok,
  silentLogger,
  systemErrorCode,
} from '@heddle/base';
import { createCertificateRequest } from './certificate-request.ts';
import { parseCertificates, spiffeIdOf } from './certificate.ts';
import { IdentityStore, type StoredIdentity } from './identity-store.ts';
import { type WorkloadCertificate, acceptIssuedCertificate } from './issued-certificate.ts';
import { generateKeyPair, importPrivateKey } from './key-pair.ts';
import type { Renewable, Validity } from './renewal-schedule.ts';
import { type SpiffeId, spiffeIdParts, trustDomainOf } from './spiffe-id.ts';
import { type TrustBundle, parseTrustBundle, trustBundles } from './trust-bundle.ts';
import { verifyChain } from './verify-chain.ts';

/** Has a certificate request (PEM) signed; answers with the chain in PEM, leaf first. */
export type RequestCertificate = (requestPem: string) => Promise<Result<string, HeddleError>>;

/** What an identity needs from outside. */
export interface IdentityEnvironment {
  /** Key, certificate and bundle live here, readable by the owner only. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly logger?: Logger;
}

export interface LoadIdentityOptions extends IdentityEnvironment {
  /** Whom the stored identity must be for; a state directory that was somebody else's is refused. */
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** An answer that has not come by then is not waited for. */
const requestTimeoutMs = 30_000;

function stateInvalid(reason: string): { readonly ok: false; readonly error: HeddleError } {
  return err(
    new HeddleError(
      'HEDDLE_IDENTITY_STATE_INVALID',
      `The stored identity cannot be used: ${reason}. Join again with a token.`,
    ),
  );
}

function firstMessage(problems: readonly Problem[]): string {
  return problems[0]?.message ?? 'unknown';
}

/**
 * The sidecar's own identity: the certificate in force with its key, and the roots it trusts. Keys are made here, one
 * for each certificate, and leave the process for the state directory only.
 */
export class WorkloadIdentity {
  readonly id: SpiffeId;
  /** `host:port` of the control plane's xDS listener, as told when joining; with commas those of several. */
  readonly xdsAddress: string;
  private readonly store: IdentityStore;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly listeners = new Set<() => void>();
  private currentCertificate: WorkloadCertificate;
  private currentBundle: TrustBundle;

  constructor(
    environment: IdentityEnvironment,
    id: SpiffeId,
    xdsAddress: string,
    certificate: WorkloadCertificate,
    bundle: TrustBundle,
  ) {
    this.id = id;
    this.xdsAddress = xdsAddress;
    this.store = new IdentityStore(environment.stateDirectory);
    this.clock = environment.clock;
    this.logger = environment.logger ?? silentLogger;
    this.currentCertificate = certificate;
    this.currentBundle = bundle;
  }

  /** In force; replaced by renewals. */
  get certificate(): WorkloadCertificate {
    return this.currentCertificate;
  }

  /** The roots of the workload's own trust domain. */
  get bundle(): TrustBundle {
    return this.currentBundle;
  }

  /** Calls `listener` after each change of certificate or bundle; the result stops that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /**
   * Makes a fresh key, has it certified, and puts it in force. Whatever is wrong with the answer, or where none comes
   * within half a minute, the certificate in force stays.
   */
  async renew(request: RequestCertificate): Promise<Result<void, HeddleError>> {
    const key = generateKeyPair();
    const chain = await this.withTimeout(request, createCertificateRequest(key, this.id));
    if (!chain.ok) return chain;
    const certificate = acceptIssuedCertificate(
      key,
      this.id,
      chain.value,
      this.currentBundle,
      this.clock.now(),
    );
    if (!certificate.ok) {
      const message = `The certificate authority's answer is refused: ${firstMessage(certificate.error)}.`;
      return err(new HeddleError('HEDDLE_CERTIFICATE_REFUSED', message));
    }
    this.currentCertificate = certificate.value;
    // A full disk must not keep a good certificate from being used; the old one on disk may be good for a restart.
    await this.persist(() =>
      this.store.writeCertificate(certificate.value.privateKey, certificate.value.certificateChain),
    );
    this.notify();
    return ok(undefined);
  }

  /**
   * Replaces the roots, as they come by SDS. Refused where they are not the workload's trust domain's. Roots under which
   * the certificate in force does not stand any more are taken, and make `renewal` urgent.
   */
  async replaceBundle(pem: string): Promise<Result<void, readonly Problem[]>> {
    const bundle = parseTrustBundle(trustDomainOf(this.id), pem);
    if (!bundle.ok) return bundle;
    if (bundle.value.version === this.currentBundle.version) return ok(undefined);
    this.currentBundle = bundle.value;
    await this.persist(() => this.store.writeBundle(bundle.value.pem));
    this.notify();
    return ok(undefined);
  }

  /** Puts in force what joining anew has brought. Throws where that is another identity's. */
  adopt(joined: WorkloadIdentity): void {
    invariant(joined.id === this.id, 'who joins anew has the same identity');
    this.currentCertificate = joined.certificate;
    this.currentBundle = joined.bundle;
    this.notify();
  }

  /** This identity's renewal for a `RenewalSchedule`. */
  renewal(request: RequestCertificate): Renewable {
    return {
      validity: (): Validity => this.currentCertificate,
      isUrgent: () => !this.isTrusted(),
      renew: () => this.renew(request),
    };
  }

  private isTrusted(): boolean {
    const { certificateChain, notAfterMs } = this.currentCertificate;
    const chain = parseCertificates(certificateChain);
    // Dates are the schedule's own business: a moment at which the certificate is good.
    const atMs = Math.min(this.clock.now(), notAfterMs);
    return chain.ok && verifyChain(chain.value, trustBundles(this.currentBundle), 'client', atMs).ok;
  }

  private async withTimeout(
    request: RequestCertificate,
    requestPem: string,
  ): Promise<Result<string, HeddleError>> {
    const { promise: late, resolve } = Promise.withResolvers<Result<string, HeddleError>>();
    const timer = this.clock.setTimer(requestTimeoutMs, () => {
      resolve(
        err(new HeddleError('HEDDLE_CERTIFICATE_REFUSED', 'The certificate authority does not answer.')),
      );
    });
    try {
      return await Promise.race([late, request(requestPem)]);
    } catch (error) {
      const message = `The certificate cannot be requested: ${errorMessage(error)}.`;
      return err(new HeddleError('HEDDLE_CERTIFICATE_REFUSED', message, { cause: error }));
    } finally {
      timer.cancel();
    }
  }

  private async persist(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.logger.warn('The identity cannot be stored and will be lost with this process', {
        reason: systemErrorCode(error) || errorMessage(error),
      });
    }
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Makes an identity of what is stored, after the same checks that an issued certificate has to pass. */
function workloadIdentityOf(
  options: LoadIdentityOptions,
  stored: StoredIdentity,
): Result<WorkloadIdentity, HeddleError> {
  const key = importPrivateKey(stored.privateKey);
  if (!key.ok) return stateInvalid(key.error);
  const chain = parseCertificates(stored.certificateChain);
  if (!chain.ok) return stateInvalid(firstMessage(chain.error));
  const id = spiffeIdOf(chain.value[0]!);
  if (!id.ok) return stateInvalid(firstMessage(id.error));
  const { namespace, serviceAccount } = spiffeIdParts(id.value);
  if (namespace !== options.namespace || serviceAccount !== options.serviceAccount) {
    return stateInvalid(
      `it is ${id.value}, not service account ${options.namespace}/${options.serviceAccount}`,
    );
  }
  const bundle = parseTrustBundle(trustDomainOf(id.value), stored.bundle);
  if (!bundle.ok) return stateInvalid(firstMessage(bundle.error));
  const nowMs = options.clock.now();
  const certificate = acceptIssuedCertificate(
    key.value,
    id.value,
    stored.certificateChain,
    bundle.value,
    nowMs,
  );
  if (!certificate.ok) return stateInvalid(firstMessage(certificate.error));
  return ok(new WorkloadIdentity(options, id.value, stored.xdsAddress, certificate.value, bundle.value));
}

/**
 * Loads the identity that an earlier run left in the state directory; null where there is none. An error means that
 * there is one but it can't be used (damaged, expired, somebody else's): joining anew replaces it.
 */
export async function loadWorkloadIdentity(
  options: LoadIdentityOptions,
): Promise<Result<WorkloadIdentity | null, HeddleError>> {
  const stored = await new IdentityStore(options.stateDirectory).read();
  if (!stored.ok || stored.value === null) return stored as Result<null, HeddleError>;
  return workloadIdentityOf(options, stored.value);
}
