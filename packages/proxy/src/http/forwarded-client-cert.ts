// X-Forwarded-Client-Cert: what a server learns of its caller's certificate from the proxy that verified it. Made once
// per connection: a peer's certificate doesn't change.
import type { PeerCertificate } from '../transport/transport.ts';

/** What is told of a verified certificate. */
export type ClientCertificate = Pick<
  PeerCertificate,
  'fingerprint' | 'subject' | 'uriSans' | 'dnsSans' | 'pem' | 'chainPem'
>;

/** Envoy's `forward_client_cert_details`. */
export type ClientCertMode =
  | 'sanitize'
  | 'forward-only'
  | 'append-forward'
  | 'sanitize-set'
  | 'always-forward-only';

/** What is told of a certificate (`set_current_client_cert_details`), and by whom. */
export interface ClientCertRules {
  readonly mode: ClientCertMode;
  readonly subject: boolean;
  readonly cert: boolean;
  readonly chain: boolean;
  readonly uri: boolean;
  readonly dns: boolean;
  /** The URIs of this proxy's own certificate, for `By`. */
  readonly ownUris: readonly string[];
}

/** The element for one certificate, in Envoy's order: `By`, `Hash`, `Cert`, `Chain`, `Subject`, `URI`, `DNS`. */
export function clientCertElement(peer: ClientCertificate, rules: ClientCertRules): string {
  const parts: string[] = [];
  for (const uri of rules.ownUris) parts.push(`By=${escaped(uri, unsafeInName)}`);
  parts.push(`Hash=${peer.fingerprint}`);
  if (rules.cert) parts.push(`Cert="${encodeURIComponent(peer.pem)}"`);
  if (rules.chain) parts.push(`Chain="${encodeURIComponent(peer.chainPem)}"`);
  if (rules.subject) parts.push(`Subject="${escaped(peer.subject, unsafeInSubject)}"`);
  if (rules.uri) {
    if (peer.uriSans.length === 0) parts.push('URI=');
    for (const uri of peer.uriSans) parts.push(`URI=${escaped(uri, unsafeInName)}`);
  }
  if (rules.dns) for (const name of peer.dnsSans) parts.push(`DNS=${escaped(name, unsafeInName)}`);
  return parts.join(';');
}

/**
 * The header's value for one request, or an empty string where it is left out. `received` is what the peer sent, null for
 * none; `element` what `clientCertElement` made of its certificate, empty where it showed none.
 */
export function forwardedClientCert(mode: ClientCertMode, received: string | null, element: string): string {
  switch (mode) {
    case 'always-forward-only':
      return received ?? '';
    case 'sanitize':
      return '';
    case 'forward-only':
      return element === '' ? '' : (received ?? '');
    case 'append-forward':
      if (element === '' || received === null || received === '') return element;
      return `${received},${element}`;
    default:
      return element;
  }
}

// Who signed a certificate may have let anything into its names; they must not end their key or the header.
const unsafeInName = /[^\x21-\x7e]|[";,\\]/g;
const unsafeInSubject = /[^\x20-\x7e]/g;

function escaped(text: string, unsafe: RegExp): string {
  return text.toWellFormed().replace(unsafe, (character) => encodeURIComponent(character));
}
