// Commands as people type them take Heddle's default ports: only one test at a time may have them.
import { createSocket, type Socket } from 'node:dgram';
import { eventually } from '@heddle/testkit';

/** Nothing of Heddle's listens on UDP; who has this number has the TCP ports. */
const claimPort = 15_011;

function bind(): Promise<Socket | null> {
  const { promise, resolve } = Promise.withResolvers<Socket | null>();
  const socket = createSocket('udp4');
  socket.once('error', () => {
    socket.close();
    resolve(null);
  });
  socket.bind({ port: claimPort, address: '127.0.0.1', exclusive: true }, () => resolve(socket));
  return promise;
}

/** Waits until no other test uses the default ports, and keeps them off until the end of the block. */
export async function claimDefaultPorts(): Promise<AsyncDisposable> {
  let socket: Socket | null = null;
  await eventually(
    'no other test uses the default ports',
    async () => {
      socket = await bind();
      return socket !== null;
    },
    100_000,
  );
  return {
    [Symbol.asyncDispose]: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket?.close(() => resolve());
      await promise;
    },
  };
}
