import type { ServedConnections } from '../codec/served-connections.ts';
import type { ExchangeSource } from '../codec/server-stream.ts';
import type { AcceptHandler } from '../transport/transport.ts';
import { ServerConnection } from './server-connection.ts';
import type { ServerContext, ServerSettings } from './server-settings.ts';

/**
 * The accept handler of a listener that speaks HTTP/1.1 only. `settings` is asked for each connection, so that it follows
 * the configuration.
 */
export function http1Acceptor(
  connections: ServedConnections,
  exchanges: ExchangeSource,
  context: ServerContext,
  settings: () => ServerSettings,
): AcceptHandler {
  return (connection) => {
    const current = settings();
    current.metrics.countAccepted(connection.tls !== null);
    const acceptedAt = context.clock.monotonic();
    const server = new ServerConnection(connection, exchanges, current, context, connections, acceptedAt);
    connections.add(server);
    return server;
  };
}
