import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { HeddleError, errorMessage, systemErrorCode } from '@heddle/base';
import type { DatagramAddress, DatagramHandler, DatagramSocket, DatagramTransport } from '../datagrams.ts';

/** Datagrams over `node:dgram`, which is loaded with the first socket: most proxies never open one. */
export const nodeDatagrams: DatagramTransport = {
  openDatagrams: async ({ local, peer }, handler) => {
    const { createSocket } = process.getBuiltinModule('node:dgram');
    const socket = createSocket({ type: isIPv6(local.host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(local.host) });
    await settle(socket, local, 'listening', () => socket.bind({ port: local.port, address: local.host }));
    if (peer !== null) await settle(socket, peer, 'connect', () => socket.connect(peer.port, peer.host));
    return new NodeDatagramSocket(socket, handler, peer !== null);
  },
};

class NodeDatagramSocket implements DatagramSocket {
  readonly address: DatagramAddress;
  private readonly socket: Socket;
  private readonly isConnected: boolean;
  private isClosed = false;

  constructor(socket: Socket, handler: DatagramHandler, isConnected: boolean) {
    this.socket = socket;
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
  }
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
