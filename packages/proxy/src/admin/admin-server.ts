import type { ProxyContext } from '../http/http-settings.ts';
import { ServerConnections } from '../http1/server-connections.ts';
import type { Listener, Transport, TransportAddress } from '../transport/transport.ts';
import { AdminExchange, type AdminHandler } from './admin-exchange.ts';

const limits = { maxHeadBytes: 16 * 1024, maxFields: 64, idleTimeoutMs: 60_000, headTimeoutMs: 10_000 };

/** The admin interface's listener. */
export class AdminServer {
  private readonly listener: Listener;
  private readonly connections: ServerConnections;

  private constructor(listener: Listener, connections: ServerConnections) {
    this.listener = listener;
    this.connections = connections;
  }

  /** Binds; rejects with a `HeddleError` that names the address where that fails. */
  static async start(
    transport: Transport,
    address: TransportAddress,
    context: ProxyContext,
    handle: AdminHandler,
  ): Promise<AdminServer> {
    const connections = new ServerConnections(context);
    const accept = connections.acceptor(
      (server) => new AdminExchange(server, handle),
      () => limits,
    );
    return new AdminServer(await transport.listen({ address, security: null }, accept), connections);
  }

  get address(): TransportAddress {
    return this.listener.address;
  }

  async close(): Promise<void> {
    await this.listener.close();
    this.connections.destroy();
  }
}
