import type { Socket } from 'node:dgram';
import { HeddleError, errorMessage, systemErrorCode } from '@heddle/base';
import { describeAddress } from '../address.ts';
import type {
  DatagramAddress,
  DatagramHandler,
  DatagramOptions,
  DatagramSocket,
  DatagramTransport,
} from '../datagrams.ts';
import { isIpv6Address } from '../ip-address.ts';
import type { InheritedSockets, OpenSocket } from '../socket-source.ts';

/** Datagrams over `node:dgram`, which is loaded with the first socket: most proxies never open one. */
export class NodeDatagrams implements DatagramTransport {
  private readonly inherited: InheritedSockets | null;
  /** By the address that was asked for. */
  private readonly bound = new Map<NodeDatagramSocket, string>();

  /** `inherited`: sockets of the process before this one, taken for the addresses that are asked for. */
  constructor(inherited: InheritedSockets | null = null) {
    this.inherited = inherited;
  }

  async openDatagrams({ local, peer }: DatagramOptions, handler: DatagramHandler): Promise<DatagramSocket> {
    const { createSocket } = process.getBuiltinModule('node:dgram');
    const isIpv6 = isIpv6Address(local.host);
    const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 });
    const address = `udp ${describeAddress(local)}`;
    const [descriptor] = peer === null ? (this.inherited?.takeNamed(address) ?? []) : [];
    const where = descriptor === undefined ? { port: local.port, address: local.host } : { fd: descriptor };
    await settle(socket, local, 'listening', () => socket.bind(where));
    if (peer !== null) await settle(socket, peer, 'connect', () => socket.connect(peer.port, peer.host));
    const opened = new NodeDatagramSocket(socket, handler, peer !== null, () => this.bound.delete(opened));
    if (peer === null) this.bound.set(opened, address);
    return opened;
  }

  /** What everybody may send to, for a process that is to go on with it. */
  openSockets(): OpenSocket[] {
    return [...this.bound].map(([{ handle }, address]) => ({
      address,
      descriptor: handle?.fd ?? -1,
      handle,
    }));
  }
}

class NodeDatagramSocket implements DatagramSocket {
  readonly address: DatagramAddress;
  private readonly socket: Socket;
  private readonly isConnected: boolean;
  private readonly onClosed: () => void;
  private isClosed = false;

  constructor(socket: Socket, handler: DatagramHandler, isConnected: boolean, onClosed: () => void) {
    this.socket = socket;
    this.onClosed = onClosed;
    this.isConnected = isConnected;
    const { address, port } = socket.address();
    this.address = { host: address, port };
    socket.on('message', (bytes, from) => {
      if (!this.isClosed) handler.onDatagram(bytes, { host: from.address, port: from.port });
    });
    socket.on('error', (error) => {
      if (!this.isClosed) handler.onError(systemErrorCode(error) || errorMessage(error));
    });
  }

  send(bytes: Buffer, to: DatagramAddress): void {
    if (this.isClosed) return;
    if (this.isConnected) this.socket.send(bytes);
    else this.socket.send(bytes, to.port, to.host);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.socket.close();
    this.onClosed();
  }

  /** Node's object below the socket; null where it is kept elsewhere some day. */
  get handle(): { readonly fd: number } | null {
    return datagramHandleOf(this.socket);
  }
}

/** Node's handle below the socket, which it keeps to itself. */
function datagramHandleOf(socket: Socket): { readonly fd: number } | null {
  const fields = socket as unknown as Record<
    symbol,
    { readonly handle?: { readonly fd: number } } | undefined
  >;
  const state = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  return (state === undefined ? undefined : fields[state]?.handle) ?? null;
}

/** Starts something and waits for the event that says that it is done. */
function settle(
  socket: Socket,
  address: DatagramAddress,
  event: 'listening' | 'connect',
  start: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close();
      const where = `${address.host}:${address.port}`;
      const doing = event === 'listening' ? 'listen on' : 'reach';
      reject(
        new HeddleError('HEDDLE_LISTEN_FAILED', `can't ${doing} ${where} (UDP): ${errorMessage(error)}`, {
          cause: error,
        }),
      );
    };
    socket.once('error', fail);
    socket.once(event, () => {
      socket.off('error', fail);
      resolve();
    });
    start();
  });
}
