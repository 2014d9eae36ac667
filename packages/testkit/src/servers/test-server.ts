import { type Server, type Socket, createServer as createTcpServer } from 'node:net';

/** A server of a test: where it listens, and that it is gone with the test (`await using`). */
export class TestServer {
  readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      // Broken on purpose: what a test does to its peer must not end the test's process.
      socket.on('error', () => socket.destroy());
    });
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string')
      throw new Error('the server does not listen on a port');
    return address.port;
  }

  /** Connections open now. */
  get connections(): number {
    return this.sockets.size;
  }

  /** Ends all connections at once and listens no more. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => {
      this.server.close(resolve);
    });
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Lets `server` listen on a free port of the loopback address. */
export async function listenLocally(server: Server): Promise<TestServer> {
  const test = new TestServer(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return test;
}

/** A plain TCP server. */
export function startTcpServer(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return listenLocally(createTcpServer({ allowHalfOpen: true }, onConnection));
}
