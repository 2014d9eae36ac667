// Hot path.
import type { TextMatcher } from '../../routing/string-matcher.ts';
import type { Connection, PeerCertificate } from '../../transport/transport.ts';
import type { RbacMatcher } from './rbac-matcher.ts';

/** `authenticated` without a name: whoever the listener's TLS lets in, with a certificate or, where none is required, without. */
export const anyTlsPeer: RbacMatcher = { matches: (connection) => connection.tls !== null };

/**
 * `authenticated`: one of the names in the peer's verified certificate is one of these. As in Envoy its names are its URI
 * SANs, its DNS SANs and its subject (RFC 2253); who shows no certificate over TLS has the empty name, who comes without
 * TLS has none. What the request says of its sender is not looked at.
 */
export class PeerName implements RbacMatcher {
  /** Hundreds of ids cost one look. */
  readonly exact: ReadonlySet<string>;
  readonly others: readonly TextMatcher[];
  /** A certificate says the same as long as it lives: patterns are tried once. */
  private readonly answers = new WeakMap<PeerCertificate, boolean>();

  constructor(exact: ReadonlySet<string>, others: readonly TextMatcher[]) {
    this.exact = exact;
    this.others = others;
  }

  matches({ tls }: Connection): boolean {
    if (tls === null) return false;
    const { peer } = tls;
    if (peer === null) return this.takes('');
    if (this.others.length === 0) return this.takesPeer(peer);
    let answer = this.answers.get(peer);
    if (answer === undefined) {
      answer = this.takesPeer(peer);
      this.answers.set(peer, answer);
    }
    return answer;
  }

  private takesPeer(peer: PeerCertificate): boolean {
    return this.takesOneOf(peer.uriSans) || this.takesOneOf(peer.dnsSans) || this.takes(peer.subject);
  }

  private takesOneOf(names: readonly string[]): boolean {
    for (let i = 0; i < names.length; i++) if (this.takes(names[i]!)) return true;
    return false;
  }

  private takes(name: string): boolean {
    if (this.exact.has(name)) return true;
    const { others } = this;
    for (let i = 0; i < others.length; i++) if (others[i]!.matches(name)) return true;
    return false;
  }
}
