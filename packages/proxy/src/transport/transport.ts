// Hot path.
/**
 * What lies under all protocol code (design D3): bytes in, bytes out, nothing else. Engines: `sys/` by system calls for plain
 * TCP on Linux, `node/` over `node:net` and `node:tls`, and the testkit's in-memory network with a virtual clock.
 */
import type { LinkSecurity } from '../tls/link-security.ts';

/** A TCP address. */
export interface TcpAddress {
  /** IP address or, for connecting only, a host name. */
  readonly host: string;
  readonly port: number;
}

/** A Unix socket. */
export interface UnixAddress {
  /** A file, or after a NUL byte a name in Linux' abstract namespace. */
  readonly path: string;
  /** Permissions of the file, for listening only; the process's umask decides where they are not given. */
  readonly mode?: number;
}

/** Where to connect to or listen on. */
export type TransportAddress = TcpAddress | UnixAddress;

/** What a TLS handshake agreed on. */
export interface TlsSession {
  /** The name that the client asked for (SNI); empty for none. */
  readonly serverName: string;
  /** The protocol agreed on by ALPN; empty for none. */
  readonly alpn: string;
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string;
  /** The handshake was abbreviated by a ticket of an earlier one. */
  readonly isResumed: boolean;
  /** The other side's certificate, verified; null where it showed none and none was required. */
  readonly peer: PeerCertificate | null;
}

/** A verified certificate of a peer, in the forms in which headers, logs and policies want it. */
export interface PeerCertificate {
  /** RFC 2253. */
  readonly subject: string;
  /** RFC 2253. */
  readonly issuer: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  /** SHA-256 of the DER form, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly pem: string;
  /** What the peer showed, leaf first, as PEM. */
  readonly chainPem: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** Why a connection ended, or never came to be. Shared frozen objects where possible: failures are values. */
export interface TransportError {
  readonly kind: 'connect-failed' | 'connect-timeout' | 'tls-failed' | 'reset' | 'closed';
  /** One sentence for logs and response details; no secrets. */
  readonly detail: string;
}

/** The owner of a connection. Calls are synchronous and never overlap; none comes after `onClose`. */
export interface ConnectionHandler {
  /** The connection is established and, where it is secured, its peer verified. Not called for accepted connections. */
  onConnect(): void;
  /** Bytes arrived: `buffer[start, end)`, valid only until the call returns. What is kept must be copied. */
  onData(buffer: Buffer, start: number, end: number): void;
  /** The peer will send no more; writing may go on. */
  onEnd(): void;
  /** Everything written so far has been handed to the kernel, after a `write` that returned false. */
  onDrain(): void;
  /** The connection is gone, exactly once. Null after an orderly end on both sides. */
  onClose(error: TransportError | null): void;
}

/** Bytes both ways: a connection, or a stream of one that carries several. */
export interface ByteStream {
  /**
   * Writes `buffer[start, end)`; the bytes may be reused as soon as the call returns. False means that they wait in
   * memory: write no more before `onDrain`.
   */
  write(buffer: Buffer, start: number, end: number): boolean;
  /** Sends what is left, then tells the peer that there is no more (half-close). */
  end(): void;
  /** Drops the connection at once with a reset or close; `onClose` follows. */
  destroy(): void;
  /** As `destroy`, with a reset that the peer sees, where the transport has one: not over TLS, nor on a Unix socket. */
  reset(): void;
  /** No `onData` until `resumeReading`; the kernel's window tells the peer. */
  pauseReading(): void;
  resumeReading(): void;
}

/** One byte stream. */
export interface Connection extends ByteStream {
  /** Writes a string whose characters are bytes (latin1): the cheapest way for a head that is a string already. */
  writeLatin1(text: string): boolean;
  /** As `writeLatin1`, and then `write`: in one piece, for a head and a small body. */
  writeHeadAndBody(text: string, buffer: Buffer, start: number, end: number): boolean;
  /** The SPIFFE id of the peer's verified certificate; empty on a plain connection. */
  readonly peerIdentity: string;
  /** SHA-256 of the peer's certificate in DER, lower-case hexadecimal; empty on a plain connection. */
  readonly peerFingerprint: string;
  /** What TLS agreed on; null on a plain connection. */
  readonly tls: TlsSession | null;
  /** IP address; of a Unix socket its path, empty where it has none. Ports of Unix sockets are 0. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Where the client meant to connect to, where a listener filter found that out; null otherwise. */
  readonly originalDestination: TcpAddress | null;
  /** The other end of the socket, whatever `overrideAddresses` has said since. */
  readonly directRemoteAddress: string;
  readonly directRemotePort: number;
  /**
   * What a listener filter found out: who the client is, and where it meant to connect to, which becomes
   * `originalDestination` and the local address. Null leaves either as it is.
   */
  overrideAddresses(remote: TcpAddress | null, local: TcpAddress | null): void;
  /** Where connections made on its behalf come from, where a listener filter has said so (`original_src`); else null. */
  upstreamSource: ConnectionSource | null;
  /** The server name that a TLS inspector has seen in the bytes; empty for none. */
  inspectedServerName: string;
  /** Everything is told to another owner from now on; may be called during a call to the one before. */
  setHandler(handler: ConnectionHandler): void;
  /** The socket's number in this process, for options that only the system knows; -1 where there is none. */
  readonly fileDescriptor: number;
}

/** Called for each accepted (and, where secured, verified) connection; returns its owner. */
export type AcceptHandler = (connection: Connection) => ConnectionHandler;

export interface ListenOptions {
  readonly address: TransportAddress;
  /** Null for plain TCP. A function is asked for each connection, so that the security may change while the socket lives. */
  readonly security: LinkSecurity | (() => LinkSecurity) | null;
  /** Takes connections to addresses of others too, as TPROXY leads them here; an accepted one's local address is theirs. */
  readonly isTransparent?: boolean;
}

/** Where a connection comes from, as its peer sees it. */
export interface ConnectionSource {
  /** An IP address; the system chooses the port. */
  readonly host: string;
  /** The address need not be one of this machine. Takes the capability CAP_NET_ADMIN. */
  readonly isTransparent: boolean;
  /** The mark of its packets (SO_MARK); 0 for none. */
  readonly mark: number;
}

export interface ConnectOptions {
  readonly address: TransportAddress;
  readonly security: LinkSecurity | null;
  /** Connecting and, where secured, the handshake together take at most this long. */
  readonly timeoutMs: number;
  /** TCP keep-alive after so long without a byte; 0 for the system's time, absent for none. */
  readonly keepAliveMs?: number | null;
  /** Where it is absent, the system chooses. */
  readonly source?: ConnectionSource | null;
  /** Sent before everything else, and in the clear where the connection is secured: a PROXY protocol header. */
  readonly preface?: Buffer | null;
}

/** A bound listener. */
export interface Listener {
  /** The address in force: the port chosen by the system where 0 was asked for. */
  readonly address: TransportAddress;
  /** Accepts no more; accepted connections live on. Resolves when the port is free. */
  close(): Promise<void>;
}

export interface Transport {
  /** An IP address by which other machines know this one; empty where there is none. */
  readonly ownAddress: string;
  /** Binds; rejects with a `HeddleError` that names the address where that fails. */
  listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener>;
  /** Starts to connect; the outcome is told to `handler` later, never during the call. */
  connect(options: ConnectOptions, handler: ConnectionHandler): Connection;
  /**
   * Does the server's part of a TLS handshake on a plain connection that `listen` accepted and from which its owner has
   * already read `received`, perhaps only a part of the ClientHello. `accept` is called with the secured connection, or
   * `onFailed` once it is gone, because the handshake failed or the client has. How long that may take is up to the owner:
   * from the call on nothing is told to it, and it calls the plain connection no more, except `destroy` before either of the
   * two. `received` may be reused when the call returns.
   */
  secure(
    connection: Connection,
    received: Buffer,
    security: LinkSecurity,
    accept: AcceptHandler,
    onFailed: () => void,
  ): void;
}
