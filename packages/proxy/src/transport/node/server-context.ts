// What a server shows at one moment: its certificates, chosen by the name that the client asks for, and its ticket keys.
import { constants } from 'node:crypto';
import { type SecureContext, type TLSSocketOptions, createSecureContext } from 'node:tls';
import type { Clock } from '@heddle/base';
import type { CertificateSecret, LinkSecurity } from '../../tls/link-security.ts';
import { matchesDnsName } from '../../tls/san-matcher.ts';
import { StaticCertificate } from '../../tls/static-certificate.ts';
import { type LinkSecrets, digest, secureOptions } from './secure-contexts.ts';
import { TicketKeys } from './ticket-keys.ts';

type SniCallback = NonNullable<TLSSocketOptions['SNICallback']>;

export class ServerContext {
  readonly context: SecureContext;
  readonly secrets: LinkSecrets;
  /** Chooses among several certificates; null where there is one. */
  readonly chooseByName: SniCallback | null;
  private readonly make: (certificates: readonly CertificateSecret[]) => SecureContext;
  private readonly byName = new Map<string, SecureContext>();

  /** `ticketSecret`: see `TicketKeys`. */
  constructor(security: LinkSecurity, secrets: LinkSecrets, ticketSecret: Buffer, clock: Clock) {
    const { server } = security;
    const scope = scopeOf(security, secrets);
    this.secrets = secrets;
    const withoutTickets = server.tickets.kind === 'none' ? constants.SSL_OP_NO_TICKET : 0;
    this.make = (certificates) =>
      createSecureContext({
        ...secureOptions(security, certificates, secrets.roots),
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION | withoutTickets,
        // OpenSSL resumes no session of another context, whatever key its ticket was made with.
        sessionIdContext: scope.slice(0, 32),
        ...(server.sessionTimeoutSeconds > 0 ? { sessionTimeout: server.sessionTimeoutSeconds } : {}),
      });
    this.context = this.make(firstOfEachKeyType(secrets.certificates));
    // Tickets are the business of the context that a handshake begins with, whichever certificate it ends with.
    if (server.tickets.kind !== 'none') {
      new TicketKeys(server.tickets, scope, ticketSecret, clock).install(this.context);
    }
    this.chooseByName =
      secrets.certificates.length < 2 ? null : (name, done) => done(null, this.contextFor(name));
  }

  /** Certificates that are good for the name; where none is, the same as for clients that ask for no name. */
  private contextFor(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    const all = this.secrets.certificates.filter((certificate) => certificate instanceof StaticCertificate);
    const exact = all.filter((certificate) => certificate.dnsNames.includes(name));
    const good =
      exact.length > 0
        ? exact
        : all.filter((certificate) => certificate.dnsNames.some((known) => matchesDnsName(known, name)));
    if (good.length === 0) return this.context;
    const chosen = firstOfEachKeyType(good);
    const key = chosen.map((certificate) => certificate.version).join(' ');
    let context = this.byName.get(key);
    if (context === undefined) {
      context = this.make(chosen);
      this.byName.set(key, context);
    }
    return context;
  }
}

/** One context holds one certificate for each type of key, and takes the one whose type the client knows. */
function firstOfEachKeyType(certificates: readonly CertificateSecret[]): readonly CertificateSecret[] {
  const seen = new Set<string>();
  return certificates.filter((certificate) => {
    const type = certificate instanceof StaticCertificate ? certificate.keyType : '';
    return !seen.has(type) && seen.add(type);
  });
}

/**
 * What a session's trust rests on. Names that are matched by code have no digest; they are looked at after resumed handshakes
 * like after all others.
 */
function scopeOf(security: LinkSecurity, secrets: LinkSecrets): string {
  const { validation, server, certificates } = security;
  const shown = certificates.map((source) =>
    source.kind === 'static' ? source.certificate.version : source.name,
  );
  return digest(JSON.stringify([validation, secrets.trustVersion, server.requiresClientCertificate, shown]));
}
