import type { Socket } from 'node:net';
import type { Connection } from './transport.ts';

/** A plain connection over a socket that TLS can take over. */
export interface PlainSocket extends Connection {
  /**
   * Gives the socket to a new owner, with `received` as if it had never been read. Nobody is told anything of this connection
   * any more; its `destroy` goes to the socket.
   */
  handOver(received: Buffer): Socket;
}

export function isPlainSocket(connection: Connection): connection is PlainSocket {
  return connection.tls === null && 'handOver' in connection;
}
