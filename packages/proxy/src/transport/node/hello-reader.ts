import { InspectResult } from '../../inspect/inspect-result.ts';
import { TlsHelloScanner } from '../../inspect/tls-hello-scanner.ts';
import type { Connection, ConnectionHandler } from '../transport.ts';

const noBytes = Buffer.alloc(0);
const noProtocols: readonly string[] = Object.freeze([]);

/** Called once with all that has been read (valid during the call), and with the protocols that the client offers (ALPN). */
type HelloHandler = (received: Buffer, offered: readonly string[]) => void;

/** Owns a plain connection until its ClientHello is there, or until it is clear that there is none: OpenSSL will say so. */
export class HelloReader implements ConnectionHandler {
  private readonly connection: Connection;
  /** Null where the first bytes will do. */
  private readonly scanner: TlsHelloScanner | null;
  private readonly onHello: HelloHandler;
  private readonly onGone: () => void;
  private kept: Buffer = noBytes;

  constructor(connection: Connection, readsWhole: boolean, onHello: HelloHandler, onGone: () => void) {
    this.connection = connection;
    this.scanner = readsWhole ? new TlsHelloScanner() : null;
    this.onHello = onHello;
    this.onGone = onGone;
  }

  onConnect(): void {
    // Accepted connections are not told.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const { scanner, kept } = this;
    const result = scanner === null ? InspectResult.found : scanner.scan(buffer, start, end);
    const bytes = buffer.subarray(start, end);
    const received = kept.length === 0 ? bytes : Buffer.concat([kept, bytes]);
    if (result === InspectResult.needMore) this.kept = kept.length === 0 ? Buffer.from(bytes) : received;
    else this.onHello(received, scanner?.applicationProtocols ?? noProtocols);
  }

  onEnd(): void {
    // As in Envoy, a client that goes before the handshake is over gets no answer.
    this.connection.destroy();
  }

  onDrain(): void {
    // Nothing has been written.
  }

  onClose(): void {
    this.onGone();
  }
}
