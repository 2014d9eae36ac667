import type { ConnectionHandler, LinkSecurity, TlsSession, TransportError } from '@heddle/proxy';
import type { InMemoryConnection } from './in-memory-connection.ts';

/** Who is at one end of a simulated TLS connection. */
export interface SimulatedCertificate {
  readonly identity: string;
  readonly fingerprint: string;
  readonly certificateNotAfter: number;
}

/** What a handshake between two nodes agrees on, as the end sees it whose peer is `peer`. */
export function simulatedSession(
  peer: SimulatedCertificate,
  client: LinkSecurity,
  server: LinkSecurity,
): TlsSession {
  return {
    serverName: client.serverName,
    alpn: server.alpn.find((name) => client.alpn.includes(name)) ?? '',
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    isResumed: false,
    peer: {
      subject: '',
      issuer: '',
      serial: peer.fingerprint.slice(0, 16),
      uriSans: [peer.identity],
      dnsSans: [],
      fingerprint: peer.fingerprint,
      pem: '',
      chainPem: '',
      notBeforeMs: 0,
      notAfterMs: peer.certificateNotAfter,
    },
  };
}

/** Owns a plain connection while the rest of its ClientHello comes in. */
export class HelloReader implements ConnectionHandler {
  private readonly connection: InMemoryConnection;
  private readonly expected: Buffer;
  private readonly onHello: () => void;
  private readonly onGone: () => void;
  private received: Buffer;

  private constructor(
    connection: InMemoryConnection,
    expected: Buffer,
    received: Buffer,
    onHello: () => void,
    onGone: () => void,
  ) {
    this.connection = connection;
    this.expected = expected;
    this.received = Buffer.from(received);
    this.onHello = onHello;
    this.onGone = onGone;
  }

  /** `expected` is what the other end began its handshake with: anything else is none. */
  static takeOver(
    connection: InMemoryConnection,
    expected: Buffer,
    received: Buffer,
    onHello: () => void,
    onGone: () => void,
  ): void {
    const reader = new HelloReader(connection, expected, received, onHello, onGone);
    connection.takeOver(reader);
    reader.look();
  }

  onConnect(): void {
    // Accepted connections are not told.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.received = Buffer.concat([this.received, buffer.subarray(start, end)]);
    this.look();
  }

  onEnd(): void {
    this.connection.fail(failed('the peer ended in the middle of the handshake'));
  }

  onDrain(): void {
    // Nothing is written here.
  }

  onClose(): void {
    this.onGone();
  }

  private look(): void {
    const { received, expected } = this;
    const length = Math.min(received.length, expected.length);
    if (expected.length === 0 || !received.subarray(0, length).equals(expected.subarray(0, length))) {
      this.connection.fail(failed('the peer speaks no TLS'));
    } else if (received.length >= expected.length) {
      this.onHello();
    }
  }
}

/** An end of which nothing more is heard because its handshake has failed. */
export function failed(detail: string): TransportError {
  return { kind: 'tls-failed', detail };
}
