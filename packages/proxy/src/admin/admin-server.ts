import { MetricRegistry } from '@heddle/telemetry';
import type { ProxyContext } from '../http/http-settings.ts';
import { type ServerSettings, defaultServerSettings } from '../http1/server-settings.ts';
import { ServedConnections } from '../codec/served-connections.ts';
import { http1Acceptor } from '../http1/http1-acceptor.ts';
import { isUnixAddress } from '../transport/address.ts';
import { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import type { Listener, Transport, TransportAddress } from '../transport/transport.ts';
import type { ServerStream } from '../codec/server-stream.ts';
import { AdminExchange } from './admin-exchange.ts';
import type { AdminHandler } from './admin-message.ts';

const limits = { maxHeadBytes: 16 * 1024, maxFields: 64, idleTimeoutMs: 60_000, headTimeoutMs: 10_000 };
/** Who looks at metrics isn't interested in those of looking: they are in no registry that is exported. */
const metrics = new ConnectionManagerMetrics(new MetricRegistry().scope(), 'admin', null);
const settings: ServerSettings = { ...defaultServerSettings, ...limits, metrics };

/** The admin interface's listener. */
export class AdminServer {
  private readonly listener: Listener;
  private readonly connections: ServedConnections;

  private constructor(listener: Listener, connections: ServedConnections) {
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
    const connections = new ServedConnections(context);
    const options = { handle, clock: context.clock, isUnixSocket: isUnixAddress(address) };
    const exchanges = {
      take: (server: ServerStream) => new AdminExchange(server, options),
      giveBack: (exchange: AdminExchange) => exchange.abandon(),
    };
    const accept = http1Acceptor(connections, exchanges, context, () => settings);
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
