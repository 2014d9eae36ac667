import { type HeddleError, type Logger, type Result, assertNever, ok } from '@heddle/base';
import { type SpiffeId, workloadSpiffeId } from '@heddle/identity';
import { type Failure, failure } from './ca-error.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { JoinTokens, TokenRefusal } from './join-tokens.ts';
import type { ServiceBinding } from './service-binding.ts';
import type { JoinTokenRecord } from './token-store.ts';

/** What a sidecar that joins asks for: the body of `POST /v1/join`. */
export interface EnrolmentRequest {
  /** `<id>.<secret>`. A secret. */
  readonly token: string;
  /** PKCS#10 in PEM. */
  readonly csr: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Which service it wants to be an instance of; null where it doesn't say. */
  readonly service: string | null;
}

/** What it gets. */
export interface EnrolmentAnswer {
  /** PEM, leaf first. */
  readonly certificateChain: string;
  /** PEM of all roots of the trust domain. */
  readonly root: string;
  readonly trustDomain: string;
  /** `host:port`. */
  readonly xdsAddress: string;
}

export interface EnrolmentOptions {
  readonly authority: CertificateAuthority;
  readonly tokens: JoinTokens;
  /** Where the sidecar finds the xDS listener, given the address of ours that it has reached; with commas several. */
  readonly xdsAddress: (reachedAddress: string) => string;
  /**
   * Stores what a token has allowed, before the certificate is issued: a workload that is let in finds it in force. Called
   * again with the same binding when its workload joins again.
   */
  bindService(binding: ServiceBinding): Promise<void>;
  readonly logger: Logger;
}

const serviceNamePattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

function stringField(body: object, name: string): string | null {
  const value: unknown = Reflect.get(body, name);
  return typeof value === 'string' ? value : null;
}

function parseRequest(body: unknown): Result<EnrolmentRequest, HeddleError> {
  const fields = ['token', 'csr', 'namespace', 'serviceAccount'] as const;
  const object = typeof body === 'object' && body !== null ? body : {};
  const [token, csr, namespace, serviceAccount] = fields.map((name) => stringField(object, name));
  for (const [index, value] of [token, csr, namespace, serviceAccount].entries()) {
    if (value === null)
      return failure('HEDDLE_JOIN_REQUEST_INVALID', `The field ${fields[index]} is missing.`);
  }
  const service: unknown = Reflect.get(object, 'service') ?? null;
  if (service !== null && (typeof service !== 'string' || !serviceNamePattern.test(service)))
    return failure('HEDDLE_JOIN_REQUEST_INVALID', 'The field service is not the name of a service.');
  return ok({ token: token!, csr: csr!, namespace: namespace!, serviceAccount: serviceAccount!, service });
}

function tokenFailure(refusal: TokenRefusal, request: EnrolmentRequest): Failure {
  switch (refusal) {
    case 'malformed':
    case 'unknown':
    case 'wrong':
      // One answer for all three: who guesses learns nothing.
      return failure('HEDDLE_JOIN_TOKEN_INVALID', 'The control plane does not know this join token.');
    case 'used-up':
      return failure('HEDDLE_JOIN_TOKEN_USED', 'The join token has been used up; ask for a new one.');
    case 'expired':
      return failure('HEDDLE_JOIN_TOKEN_EXPIRED', 'The join token has expired; ask for a new one.');
    case 'not-allowed': {
      const subject = `service account ${request.namespace}/${request.serviceAccount}`;
      return failure('HEDDLE_JOIN_TOKEN_NOT_ALLOWED', `The join token is not good for ${subject}.`);
    }
    default:
      return assertNever(refusal);
  }
}

/** Lets sidecars in: a token and a certificate request against a certificate. */
export class Enrolment {
  private readonly options: EnrolmentOptions;

  constructor(options: EnrolmentOptions) {
    this.options = options;
  }

  /** Handles the parsed body of a request. A use of the token is taken only when nothing else is wrong. */
  async enrol(body: unknown, reachedAddress: string): Promise<Result<EnrolmentAnswer, HeddleError>> {
    const { authority, logger } = this.options;
    const request = parseRequest(body);
    if (!request.ok) return request;
    const { namespace, serviceAccount } = request.value;
    const id = workloadSpiffeId({ trustDomain: authority.trustDomain, namespace, serviceAccount });
    if (!id.ok) {
      return failure('HEDDLE_JOIN_REQUEST_INVALID', `The identity is not valid: ${id.error[0]?.message}.`);
    }
    const outcome = await this.admit(request.value, id.value, reachedAddress);
    // Identities that nobody has proven are somebody's claim, and logged as that.
    if (outcome.ok) logger.info('Workload joined', { identity: id.value });
    else logger.warn('Workload refused', { claimedIdentity: id.value, code: outcome.error.code });
    return outcome;
  }

  private async admit(
    request: EnrolmentRequest,
    id: SpiffeId,
    reachedAddress: string,
  ): Promise<Result<EnrolmentAnswer, HeddleError>> {
    const { authority, tokens, xdsAddress } = this.options;
    // The token first: strangers get no signature checked.
    const known = await tokens.check(request.token, request);
    if (!known.ok) return tokenFailure(known.error, request);
    const approved = await authority.approve(id, request.csr);
    if (!approved.ok) return approved;
    const redeemed = await tokens.redeem(request.token, request);
    if (!redeemed.ok) return tokenFailure(redeemed.error, request);
    await this.bind(request, redeemed.value, id);
    const issued = await authority.issue(approved.value);
    if (!issued.ok) return issued;
    return ok({
      certificateChain: issued.value.certificateChain,
      root: authority.bundle.pem,
      trustDomain: authority.trustDomain,
      xdsAddress: xdsAddress(reachedAddress),
    });
  }

  /**
   * A token for one service account is good for the service of that name, which needs no binding: whoever holds it must
   * not become an instance of any other.
   */
  private async bind(request: EnrolmentRequest, token: JoinTokenRecord, id: SpiffeId): Promise<void> {
    const { namespace, serviceAccount, service } = request;
    if (service === null || service === serviceAccount || token.serviceAccount !== null) return;
    await this.options.bindService({ namespace, serviceAccount, service });
    this.options.logger.info('Service account bound to a service', { identity: id, service });
  }
}
