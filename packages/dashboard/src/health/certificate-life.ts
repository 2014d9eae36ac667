import type { CertificateSummary } from '../generated/api.ts';

/** `fresh`: as it should be. `late`: should have been renewed. `ending`: nine tenths are over. `expired`: it is over. */
export type CertificateLifeState = 'fresh' | 'late' | 'ending' | 'expired';

export interface CertificateLife {
  /** Share of the life that is over, between 0 and 1. */
  readonly used: number;
  readonly state: CertificateLifeState;
}

/** Sidecars and the control plane renew at half life; a root is replaced by people. */
export const RENEWAL_SHARE = 0.5;
/** Renewal has this much of the life to succeed, with retries, before it counts as late. */
const LATE_SHARE = 0.6;
const ENDING_SHARE = 0.9;

/** How much of its life a certificate has behind it, and whether that is a reason to worry. */
export function judgeCertificate(certificate: CertificateSummary, nowMs: number): CertificateLife {
  const length = certificate.notAfter - certificate.notBefore;
  const passed = nowMs - certificate.notBefore;
  const used = length <= 0 ? 1 : Math.min(1, Math.max(0, passed / length));
  return { used, state: stateOf(certificate, used, nowMs) };
}

function stateOf(certificate: CertificateSummary, used: number, nowMs: number): CertificateLifeState {
  if (nowMs >= certificate.notAfter) return 'expired';
  if (used >= ENDING_SHARE) return 'ending';
  return used >= LATE_SHARE && certificate.kind !== 'root' ? 'late' : 'fresh';
}
