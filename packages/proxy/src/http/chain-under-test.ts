import type { Socket } from 'node:net';
import {
  type ProxyOptions,
  type ProxyUnderTest,
  RawClient,
  startBackend,
  startProxy,
} from './proxy-under-test.ts';

export const get = 'GET /a?b=c HTTP/1.1\r\nHost: reviews\r\n\r\n';
export const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** A client, a proxy and a backend in a row. */
export interface Chain {
  readonly client: RawClient;
  readonly proxy: ProxyUnderTest;
  /** All that the backend has received, over all its connections. */
  readonly seen: () => string;
  /** The backend's connections, in their order. */
  readonly upstreams: readonly Socket[];
  /** Another client of the same proxy. */
  readonly connect: () => RawClient;
  /** Resolves once the backend has received something for which `condition` holds. */
  readonly untilSeen: (condition: (seen: string) => boolean) => Promise<string>;
}

/**
 * Starts a chain that is closed when the test ends. `answer` is given everything that a connection of the backend has
 * received since it answered last, and answers or waits for more.
 */
export async function startChain(
  t: { after(fn: () => unknown): void },
  answer: (received: string, socket: Socket) => string | null,
  options: Partial<ProxyOptions> & { readonly allowHalfOpen?: boolean } = {},
): Promise<Chain> {
  let seen = '';
  const waiters: (() => void)[] = [];
  const upstreams: Socket[] = [];
  const backend = await startBackend((socket) => {
    upstreams.push(socket);
    let received = '';
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      seen += text;
      received += text;
      for (const wake of waiters.splice(0)) wake();
      const response = answer(received, socket);
      if (response === null) return;
      received = '';
      socket.write(response, 'latin1');
    });
  }, options.allowHalfOpen);
  const proxy = await startProxy({ ports: [backend.port], ...options });
  const clients: RawClient[] = [];
  const connect = (): RawClient => {
    const client = new RawClient(proxy.port);
    clients.push(client);
    return client;
  };
  t.after(async () => {
    for (const client of clients) client.close();
    await proxy.close();
    await backend.close();
  });
  return {
    client: connect(),
    proxy,
    seen: () => seen,
    upstreams,
    connect,
    untilSeen: async (condition) => {
      while (!condition(seen)) await new Promise<void>((resolve) => waiters.push(resolve));
      return seen;
    },
  };
}
