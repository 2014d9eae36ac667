/** Datagrams, for DNS: beside `Transport`, and like it without time or files of its own. */

/** Where a datagram comes from or goes to; an IP address and a port. */
export interface DatagramAddress {
  readonly host: string;
  readonly port: number;
}

/** The owner of a datagram socket. Calls never overlap; none comes after `close`. */
export interface DatagramHandler {
  /** A datagram arrived; `bytes` is the owner's from now on. */
  onDatagram(bytes: Buffer, from: DatagramAddress): void;
  /** The system says that something sent did not arrive, such as that nobody listens there. The socket stays. */
  onError(detail: string): void;
}

export interface DatagramSocket {
  /** The address in force: the port chosen by the system where 0 was asked for. */
  readonly address: DatagramAddress;
  /** Sends one datagram; it may be lost without a word. */
  send(bytes: Buffer, to: DatagramAddress): void;
  /** Idempotent. */
  close(): void;
}

export interface DatagramOptions {
  readonly local: DatagramAddress;
  /** Datagrams of nobody else are let in, and refusals of this peer are reported; null for everybody. */
  readonly peer: DatagramAddress | null;
}

export interface DatagramTransport {
  /** Binds; rejects with a `HeddleError` that names the address where that fails. */
  openDatagrams(options: DatagramOptions, handler: DatagramHandler): Promise<DatagramSocket>;
}
