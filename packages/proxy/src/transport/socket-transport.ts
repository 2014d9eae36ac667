import type { OpenSocket, SocketSource } from './socket-source.ts';
import type { Transport } from './transport.ts';

/** A transport over sockets of the system. */
export interface SocketTransport extends Transport {
  /** `node`: over `node:net`; `sys`: system calls of our own. */
  readonly engine: 'node' | 'sys';
  /** The listening sockets of this transport, for a process or thread that is to go on with them. */
  openSockets(): OpenSocket[];
  /** Another process has its sockets: what is closed from now on goes on under the same name. */
  handOver(): void;
}

export interface SocketTransportOptions {
  /** How long TLS handshakes of `listen` may take; default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** 32 random bytes that session ticket keys are made of; threads that share them resume each other's sessions. */
  readonly ticketSecret?: Buffer;
  /** Where listening sockets come from; without it the transport opens its own. */
  readonly sockets?: SocketSource;
}
