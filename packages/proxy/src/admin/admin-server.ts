import { MetricRegistry } from '@heddle/telemetry';
import type { ProxyContext } from '../http/http-settings.ts';
import { type ServerSettings, defaultServerSettings } from '../http1/server-settings.ts';
import { ServerConnections } from '../http1/server-connections.ts';
import { isUnixAddress } from '../transport/address.ts';
import { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import type { Listener, Transport, TransportAddress } from '../transport/transport.ts';
import { AdminExchange } from './admin-exchange.ts';
import type { AdminHandler } from './admin-message.ts';

const limits = { maxHeadBytes: 16 * 1024, maxFields: 64, idleTimeoutMs: 60_000, headTimeoutMs: 10_000 };
/** Who looks at metrics isn't interested in those of looking: they are in no registry that is exported. */
const metrics = new ConnectionManagerMetrics(new MetricRegistry().scope(), 'admin', null);
const settings: ServerSettings = { ...defaultServerSettings, ...limits, metrics };

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
    const options = { handle, clock: context.clock, isUnixSocket: isUnixAddress(address) };
    const accept = connections.acceptor(
      {
        take: (server) => new AdminExchange(server, options),
        giveBack: (exchange: AdminExchange) => exchange.abandon(),
      },
      () => settings,
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
