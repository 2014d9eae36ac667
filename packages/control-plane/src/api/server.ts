import { once } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { errorMessage, HeddleError, systemErrorCode } from '@heddle/base';
import { createApi, type ApiOptions } from './app.ts';
import { hostForUrl, isLoopback } from './loopback.ts';

/** The running API. */
export interface ApiServer {
  /** `host:port` in force. */
  readonly address: string;
  /** Ends streams and idle connections; resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

/** Says what keeps a listener from its port, and what to do. */
export function listenError(what: string, address: string, port: number, error: unknown): HeddleError {
  const place = `${hostForUrl(address)}:${port}`;
  const code = systemErrorCode(error);
  if (code === 'EADDRINUSE') {
    return new HeddleError(
      'HEDDLE_PORT_IN_USE',
      `The ${what} cannot listen on ${place}, because another program does: stop that one, or choose another port.`,
      { cause: error },
    );
  }
  return new HeddleError(
    'HEDDLE_LISTEN_FAILED',
    `The ${what} cannot listen on ${place}: ${errorMessage(error)}.`,
    {
      cause: error,
    },
  );
}

/**
 * Serves the API on `address`, which must be loopback: it has no TLS. Rejects with `HEDDLE_API_NOT_LOOPBACK`,
 * `HEDDLE_PORT_IN_USE` or `HEDDLE_LISTEN_FAILED`.
 */
export async function startApiServer(
  options: ApiOptions & { readonly address: string; readonly port: number },
): Promise<ApiServer> {
  const { address, port } = options;
  if (!isLoopback(address)) {
    throw new HeddleError(
      'HEDDLE_API_NOT_LOOPBACK',
      `The API would be readable on the network at ${hostForUrl(address)}, because it has no TLS: use 127.0.0.1, and a tunnel such as ssh -L from other machines.`,
    );
  }
  const server = createAdaptorServer({ fetch: createApi(options).fetch }) as Server;
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (error) {
    throw listenError('API', address, port, error);
  }
  const bound = server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  let closed: Promise<void> | undefined;
  return {
    address: `${hostForUrl(address)}:${boundPort}`,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}
