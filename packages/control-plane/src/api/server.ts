import { once } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { ConnectionGate } from '@heddle/identity';
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

/** What clients may hold of the server. None of it ends a response that is being sent, an event stream for one. */
export interface ApiLimits {
  /** Until a request's headers have come, from the connection's beginning or the previous response on it. */
  readonly headersTimeoutMs: number;
  /** Until a request has come whole. */
  readonly requestTimeoutMs: number;
  /** How often the server looks for requests past these limits. */
  readonly checkIntervalMs: number;
  /** How long a connection is kept for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** Connections at once; those beyond are refused. */
  readonly maxConnections: number;
  /** Connections at once that have not made a request; the oldest gives way, so that these alone refuse nobody. */
  readonly maxPending: number;
}

const defaultApiLimits: ApiLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 2000,
  keepAliveTimeoutMs: 5000,
  maxConnections: 1024,
  maxPending: 512,
};

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
  options: ApiOptions & {
    readonly address: string;
    readonly port: number;
    readonly limits?: Partial<ApiLimits>;
  },
): Promise<ApiServer> {
  const { address, port } = options;
  if (!isLoopback(address)) {
    throw new HeddleError(
      'HEDDLE_API_NOT_LOOPBACK',
      `The API would be readable on the network at ${hostForUrl(address)}, because it has no TLS: use 127.0.0.1, and a tunnel such as ssh -L from other machines.`,
    );
  }
  const limits = { ...defaultApiLimits, ...options.limits };
  const server = createAdaptorServer({
    fetch: createApi(options).fetch,
    serverOptions: {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
    },
  }) as Server;
  server.maxConnections = limits.maxConnections;
  const { clock } = options;
  const pending = new ConnectionGate({
    clock,
    limitMs: limits.headersTimeoutMs,
    maxPending: limits.maxPending,
  });
  server.on('connection', (socket) => pending.admit(socket));
  server.on('request', ({ socket }) => pending.release(socket));
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
