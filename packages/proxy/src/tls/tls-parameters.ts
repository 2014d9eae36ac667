import type { TlsParameters } from './tls-config.ts';

/** TLS 1.3 only: what members of a mesh speak among themselves. */
export const modernParameters: TlsParameters = Object.freeze({
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  cipherSuites: [],
  curves: [],
});

/** What a context says that says nothing, and whose peers may be anybody. */
export const openParameters: TlsParameters = Object.freeze({
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  cipherSuites: [],
  curves: [],
});

/** AES-128 first: with the instructions that all servers have it is the cheapest, and as safe as the others. */
const modernSuites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Forward secrecy and authenticated encryption; Envoy's default list. */
const defaultSuites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];

/** OpenSSL 3.5 would send post-quantum key shares too: three times the hello and more CPU for each handshake. */
const defaultCurves = ['X25519', 'P-256'];

/** As Node wants them: suites of both versions in one list. */
export function cipherList({ cipherSuites }: TlsParameters): string {
  return [...modernSuites, ...(cipherSuites.length === 0 ? defaultSuites : cipherSuites)].join(':');
}

export function curveList({ curves }: TlsParameters): string {
  return (curves.length === 0 ? defaultCurves : curves).join(':');
}
