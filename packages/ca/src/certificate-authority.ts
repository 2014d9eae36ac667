import { isIP } from 'node:net';
import type { KeyObject } from 'node:crypto';
import { type Brand, type Clock, type HeddleError, type Result, ok } from '@heddle/base';
import {
  type SpiffeId,
  type TrustBundle,
  type TrustDomain,
  controlPlaneNamespace,
  controlPlaneSpiffeId,
  namespaceOf,
  trustDomainOf,
  trustDomainUri,
} from '@heddle/identity';
import { failure } from './ca-error.ts';
import { randomSerial, wholeSecond } from './certificate-fields.ts';
import type { IssuanceLog } from './issuance-log.ts';
import { checkCertificateRequest } from './request-check.ts';
import { type Root, signingAlgorithm } from './root.ts';
import { x509 } from './x509-library.ts';

/** A certificate that has just been issued. */
export interface IssuedCertificate {
  /** PEM, leaf first, without the root. */
  readonly certificateChain: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** A request that has passed all checks. Made by `approve` only. */
export type ApprovedRequest = Brand<{ readonly id: SpiffeId; readonly key: KeyObject }, 'ApprovedRequest'>;

/** By what names besides its SPIFFE id the control plane is reached. Only foreign clients look at them. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  /** IP addresses. */
  readonly addresses: readonly string[];
}

export interface CertificateAuthorityOptions {
  readonly root: Root;
  readonly clock: Clock;
  readonly log: IssuanceLog;
  /** How long leaves are good; default 24 hours, as in Istio. */
  readonly leafTtlMs?: number;
}

const defaultLeafTtlMs = 24 * 3_600_000;
/** Leaves are good a little before they are made, for peers whose clocks are behind. */
const mostBackdateMs = 5 * 60_000;
/** Short-lived leaves are backdated by less, so that half of their life is still to come when they are fresh. */
const backdateFraction = 0.1;
/** Nothing is issued that would be good for less than this. */
const leastLifeMs = 1_000;

/** Issues certificates under one root. Where the log rejects, so do the methods that issue. */
export class CertificateAuthority {
  private readonly root: Root;
  private readonly clock: Clock;
  private readonly log: IssuanceLog;
  private readonly leafTtlMs: number;
  private readonly keyIdentifier: string;

  private constructor(options: CertificateAuthorityOptions, keyIdentifier: string) {
    this.root = options.root;
    this.clock = options.clock;
    this.log = options.log;
    this.leafTtlMs = options.leafTtlMs ?? defaultLeafTtlMs;
    this.keyIdentifier = keyIdentifier;
  }

  /** Begins to work with a root, and enters it in the log. */
  static async open(options: CertificateAuthorityOptions): Promise<CertificateAuthority> {
    const { certificate, bundle } = options.root;
    const extension = new x509.X509Certificate(certificate.x509.raw).getExtension(
      x509.SubjectKeyIdentifierExtension,
    );
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    const keyIdentifier = extension ?? (await x509.SubjectKeyIdentifierExtension.create(spki));
    await options.log.append({
      identity: trustDomainUri(bundle.trustDomain),
      kind: 'root',
      serial: certificate.serial,
      notBeforeMs: certificate.notBeforeMs,
      notAfterMs: certificate.notAfterMs,
    });
    return new CertificateAuthority(options, keyIdentifier.keyId);
  }

  get trustDomain(): TrustDomain {
    return this.root.bundle.trustDomain;
  }

  /** What peers should trust: the signing root first. */
  get bundle(): TrustBundle {
    return this.root.bundle;
  }

  /**
   * Says whether a workload's request would be granted, without granting it. The caller makes sure that whoever sent it
   * is entitled to `id`; here the request itself is checked. The control plane's namespace is closed to workloads.
   */
  async approve(id: SpiffeId, requestPem: string): Promise<Result<ApprovedRequest, HeddleError>> {
    if (trustDomainOf(id) !== this.trustDomain) {
      return failure('HEDDLE_IDENTITY_NOT_ALLOWED', `${id} is not of the trust domain ${this.trustDomain}.`);
    }
    if (namespaceOf(id) === controlPlaneNamespace) {
      return failure(
        'HEDDLE_IDENTITY_NOT_ALLOWED',
        `The namespace ${controlPlaneNamespace} is the control plane's.`,
      );
    }
    const key = await checkCertificateRequest(requestPem, id);
    return key.ok ? ok({ id, key: key.value } as ApprovedRequest) : key;
  }

  /** Issues the certificate for an approved request. */
  issue(request: ApprovedRequest): Promise<Result<IssuedCertificate, HeddleError>> {
    return this.sign(request.id, 'workload', request.key, { dnsNames: [], addresses: [] });
  }

  /** Approves and issues: for renewals, where the caller has proven `id` with its current certificate. */
  async issueWorkload(id: SpiffeId, requestPem: string): Promise<Result<IssuedCertificate, HeddleError>> {
    const request = await this.approve(id, requestPem);
    return request.ok ? this.issue(request.value) : request;
  }

  /** Issues the control plane's own certificate for a key that it has made itself. */
  issueControlPlane(key: KeyObject, names: ServerNames): Promise<Result<IssuedCertificate, HeddleError>> {
    return this.sign(controlPlaneSpiffeId(this.trustDomain), 'control-plane', key, names);
  }

  private async sign(
    id: SpiffeId,
    kind: 'control-plane' | 'workload',
    key: KeyObject,
    names: ServerNames,
  ): Promise<Result<IssuedCertificate, HeddleError>> {
    const nowMs = this.clock.now();
    const rootNotAfterMs = this.root.certificate.notAfterMs;
    const notAfter = wholeSecond(Math.min(nowMs + this.leafTtlMs, rootNotAfterMs));
    if (notAfter.getTime() < nowMs + leastLifeMs) {
      const when = new Date(rootNotAfterMs).toISOString();
      return failure(
        'HEDDLE_CA_ROOT_EXPIRED',
        `The root certificate expires at ${when}; nothing more can be issued.`,
      );
    }
    const notBefore = wholeSecond(nowMs - Math.min(mostBackdateMs, this.leafTtlMs * backdateFraction));
    const serial = randomSerial();
    const spki = key.export({ type: 'spki', format: 'der' });
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      // Who it is stands in the SAN alone, which is critical then (RFC 5280 §4.2.1.6).
      subject: [],
      issuer: new x509.X509Certificate(this.root.certificate.x509.raw).subjectName,
      notBefore,
      notAfter,
      publicKey: spki,
      signingKey: this.root.signingKey,
      signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(subjectNames(id, names), true),
        await x509.SubjectKeyIdentifierExtension.create(spki),
        new x509.AuthorityKeyIdentifierExtension(this.keyIdentifier),
      ],
    });
    const times = { notBeforeMs: notBefore.getTime(), notAfterMs: notAfter.getTime() };
    await this.log.append({ identity: id, kind, serial, ...times });
    return ok({ certificateChain: `${certificate.toString('pem')}\n`, serial, ...times });
  }
}

function subjectNames(id: SpiffeId, names: ServerNames): x509.JsonGeneralNames {
  return [
    { type: 'url', value: id },
    ...names.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...names.addresses.filter((value) => isIP(value) !== 0).map((value) => ({ type: 'ip' as const, value })),
  ];
}
