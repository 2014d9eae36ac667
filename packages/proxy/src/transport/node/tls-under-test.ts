// What the tests of TLS on the wire are told with: identities whose secrets change, and one exchange over a connection.
import { type Clock, silentLogger, systemClock } from '@heddle/base';
import { type TestCertificate, bundleOf, makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { RecordingHandler, eventually } from '@heddle/testkit';
import type {
  LinkSecurity,
  PeerFaultKind,
  PeerMatcher,
  SecretProvider,
  TlsObserver,
} from '../../tls/link-security.ts';
import { meshSecurity } from '../../tls/mesh-security.ts';
import { StaticCertificate, readCertificate } from '../../tls/static-certificate.ts';
import type { RootsValidation } from '../../tls/tls-config.ts';
import { openParameters } from '../../tls/tls-parameters.ts';
import type { Connection, Listener, TlsSession } from '../transport.ts';
import { NodeTransport, type NodeTransportOptions } from './node-transport.ts';

export const firstRoot = makeRoot('cluster.local');
export const secondRoot = makeRoot('cluster.local');

/** The secrets of one workload, which may change at any time. */
export class Workload implements SecretProvider {
  readonly id: string;
  own: TestCertificate;
  roots: readonly TestCertificate[] = [firstRoot];

  constructor(id: string, issuer: TestCertificate = firstRoot) {
    this.id = id;
    this.own = makeLeaf(issuer, id);
  }

  certificate(): { certificateChain: string; privateKey: string; version: string } {
    return {
      certificateChain: this.own.pem,
      privateKey: this.own.keyPem,
      version: this.own.certificate.x509.fingerprint256,
    };
  }

  trustBundle(): ReturnType<typeof bundleOf> {
    return bundleOf('cluster.local', ...this.roots);
  }

  security(acceptPeer: PeerMatcher | null = null): LinkSecurity {
    return meshSecurity({ secrets: this, acceptPeer, alpn: ['http/1.1'] });
  }
}

/** A certificate as the configuration gives one. */
export function staticCertificate({ pem, keyPem }: TestCertificate): StaticCertificate {
  const read = readCertificate(pem, keyPem);
  if (read instanceof StaticCertificate) return read;
  throw new Error(read.message);
}

/** Who calls. */
export const caller = 'spiffe://cluster.local/ns/default/sa/caller';
/** A certificate with names of its own. */
export const gateway = makeLeaf(firstRoot, 'spiffe://cluster.local/ns/default/sa/gateway', {
  dnsNames: ['one.example', '*.two.example'],
});
/** Keeps what it hears. */
export class CountingObserver implements TlsObserver {
  readonly owner = 'listener test';
  readonly sessions: TlsSession[] = [];
  readonly refusals: PeerFaultKind[] = [];
  errors = 0;

  onHandshake(session: TlsSession): void {
    this.sessions.push(session);
  }

  onConnectionError(): void {
    this.errors++;
  }

  onPeerRefused(kind: PeerFaultKind): void {
    this.refusals.push(kind);
  }
}

/** Trust in the first root, and whatever else is asked for. */
export function roots(changes: Partial<RootsValidation> = {}): RootsValidation {
  return {
    kind: 'roots',
    roots: firstRoot.pem,
    rootsFile: '',
    sans: [],
    certificateHashes: [],
    publicKeyHashes: [],
    ...changes,
  };
}

/** A listener with the certificate `gateway` that asks its clients for none. */
export function listenerSecurity(changes: Partial<LinkSecurity> = {}): LinkSecurity {
  const base = new Workload(caller).security();
  return {
    ...base,
    certificates: [{ kind: 'static', certificate: staticCertificate(gateway) }],
    validation: null,
    parameters: openParameters,
    server: { ...base.server, requiresClientCertificate: false },
    ...changes,
  };
}

/** A client without a certificate that trusts the first root. */
export function clusterSecurity(changes: Partial<LinkSecurity> = {}): LinkSecurity {
  return listenerSecurity({ certificates: [], validation: roots(), serverName: 'one.example', ...changes });
}

/** What came of connecting, and of sending a few bytes to a server that echoes. */
export interface Visit {
  readonly isAnswered: boolean;
  /** What the client's end says of the handshake; null where there was none. */
  readonly session: TlsSession | null;
  readonly connection: Connection;
  readonly handler: RecordingHandler;
}

export interface EchoServer {
  readonly listener: Listener;
  /** Accepted connections in order. */
  readonly accepted: Connection[];
  /** Their owners. */
  readonly handlers: RecordingHandler[];
}

/** A transport that the tests of one file share, with what they opened. */
export class TlsBench {
  readonly transport: NodeTransport;
  private readonly listeners: Listener[] = [];
  private readonly connections: Connection[] = [];

  constructor(clock: Clock = systemClock, options: NodeTransportOptions = {}, logger = silentLogger) {
    this.transport = new NodeTransport(clock, logger, options);
  }

  async serve(security: LinkSecurity): Promise<EchoServer> {
    const accepted: Connection[] = [];
    const handlers: RecordingHandler[] = [];
    const address = { host: '127.0.0.1', port: 0 };
    const listener = await this.transport.listen({ address, security }, (connection) => {
      accepted.push(connection);
      this.connections.push(connection);
      const handler = new RecordingHandler();
      handlers.push(handler);
      handler.onBytes = (bytes) => connection.write(bytes, 0, bytes.length);
      return handler;
    });
    this.listeners.push(listener);
    return { listener, accepted, handlers };
  }

  async visit(server: EchoServer, security: LinkSecurity): Promise<Visit> {
    const handler = new RecordingHandler();
    const { address } = server.listener;
    const connection = this.transport.connect({ address, security, timeoutMs: 5000 }, handler);
    this.connections.push(connection);
    await eventually(
      'the client is connected or refused',
      () => handler.connects + handler.closes > 0,
      5000,
      1,
    );
    if (handler.connects > 0) connection.writeLatin1('ping');
    // A server's refusal reaches a client of TLS 1.3 when it believes to be connected already.
    await eventually(
      'the server has answered or refused',
      () => handler.bytes === 4 || handler.ends + handler.closes > 0,
      5000,
      1,
    );
    return { isAnswered: handler.bytes === 4, session: connection.tls, connection, handler };
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }
}
