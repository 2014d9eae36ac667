// `/certs`.
import { type AdminResponse, jsonResponse } from './admin-message.ts';

/** A certificate that is in use. Public parts only. */
export interface CertificateDetails {
  /** Where it came from: a file's path, or empty. */
  readonly path: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly ipSans: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The certificates of one identity: who vouches for peers, and what is shown to them. */
export interface CertificateEntry {
  readonly authorities: readonly CertificateDetails[];
  readonly chain: readonly CertificateDetails[];
}

const dayMs = 86_400_000;

/** Whole days until the first of the certificates expires, 0 once one has; null where there is none. */
export function daysUntilFirstExpiry(entries: readonly CertificateEntry[], nowMs: number): number | null {
  const ends = entries
    .flatMap(({ authorities, chain }) => [...authorities, ...chain])
    .map(({ notAfterMs }) => notAfterMs);
  return ends.length === 0 ? null : daysUntil(Math.min(...ends), nowMs);
}

/** Answers `/certs`. */
export function certificatesPage(entries: readonly CertificateEntry[], nowMs: number): AdminResponse {
  const show = (details: CertificateDetails): object => ({
    path: details.path === '' ? '<inline>' : details.path,
    serial_number: details.serial.toLowerCase(),
    subject_alt_names: [
      ...details.dnsSans.map((dns) => ({ dns })),
      ...details.uriSans.map((uri) => ({ uri })),
      ...details.ipSans.map((address) => ({ ip_address: address })),
    ],
    days_until_expiration: String(daysUntil(details.notAfterMs, nowMs)),
    valid_from: seconds(details.notBeforeMs),
    expiration_time: seconds(details.notAfterMs),
  });
  return jsonResponse({
    certificates: entries.map(({ authorities, chain }) => ({
      ca_cert: authorities.map(show),
      cert_chain: chain.map(show),
    })),
  });
}

function daysUntil(endMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((endMs - nowMs) / dayMs));
}

function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
