// Pools of connections to a server in memory, for tests.
import assert from 'node:assert/strict';
import { TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { InMemoryNetwork, SeededRandom, VirtualClock } from '@heddle/testkit';
import {
  type ClientStream,
  ResponseKind,
  type UpstreamExchange,
  type UpstreamFailure,
} from '../codec/client-stream.ts';
import { ClientConnection, defaultClientSettings } from '../http1/client-connection.ts';
import { requestFromText } from '../http1/message-from-text.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';
import { testContext } from '../http2/test-servers.ts';
import type { LinkSecurity } from '../tls/link-security.ts';
import { meshSecurity } from '../tls/mesh-security.ts';
import type {
  Connection,
  ConnectionHandler,
  ConnectionSource,
  Transport,
  TransportError,
} from '../transport/transport.ts';
import type { Caller } from './caller.ts';
import { CircuitBreaker, type CircuitBreakerLimits, defaultCircuitBreakerLimits } from './circuit-breaker.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { type ConnectionLimits, ConnectionPool, type ConnectionWaiter } from './connection-pool.ts';
import { Endpoint } from './endpoint.ts';

/** A handler that writes down what it is told. */
export class Recorder implements ConnectionHandler {
  readonly events: string[] = [];
  onConnect(): void {
    this.events.push('connect');
  }
  onData(buffer: Buffer, start: number, end: number): void {
    this.events.push(`data ${buffer.toString('latin1', start, end)}`);
  }
  onEnd(): void {
    this.events.push('end');
  }
  onDrain(): void {
    this.events.push('drain');
  }
  onClose(error: TransportError | null): void {
    this.events.push(`close ${error?.kind ?? ''}`);
  }
}

const defaultConnectionLimits: ConnectionLimits = {
  connectTimeoutMs: 1000,
  keepAliveMs: null,
  idleTimeoutMs: 3_600_000,
  maxDurationMs: 0,
  protocol: 'http1',
  responses: defaultClientSettings,
  http2: defaultHttp2Options,
  maxRequests: 0,
};

export const response = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

/** Asks for a connection, sends one request on it and remembers what became of it. */
export class Request implements ConnectionWaiter, UpstreamExchange {
  outcome = 'waiting';
  wantsUpgrade = false;
  hasUpgradeBody = false;
  stream: ClientStream | null = null;
  /** What it was sent on, over HTTP/1.1. */
  get connection(): ClientConnection | null {
    assert.ok(this.stream === null || this.stream instanceof ClientConnection);
    return this.stream;
  }
  onConnection(stream: ClientStream): void {
    this.outcome = 'sent';
    this.stream = stream;
    stream.sendHead(this, requestFromText('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), ResponseKind.usual);
    stream.endRequest();
  }
  onConnectFailed(error: TransportError): void {
    this.outcome = error.kind;
  }
  onOverflow(): void {
    this.outcome = 'overflow';
  }
  onResponseHead(): void {}
  onInterimResponse(): void {}
  onUpgraded(): void {}
  onResponseTrailers(): void {}
  onResponseBody(): void {}
  onResponsePause(): void {}
  onRequestDrain(): void {}
  onResponseEnd(): void {
    this.outcome = 'answered';
  }
  onUpstreamFailed(failure: UpstreamFailure): void {
    this.outcome = failure.kind;
  }
}

export function ask(pool: ConnectionPool): Request {
  const request = new Request();
  pool.acquire(request);
  return request;
}

/** A caller whose requests are to come from its own address. */
export function callerFrom(upstreamSource: ConnectionSource): Caller {
  return { upstreamSource, remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 };
}

/** How both ends of connections in memory are secured. */
export function simulatedTls(alpn: readonly string[]): LinkSecurity {
  const secrets = { certificate: () => null, trustBundle: () => null };
  return meshSecurity({ secrets, acceptPeer: null, alpn });
}

/**
 * Pools of `10.0.0.2` in a network in memory; port 80 takes connections, which `serve` is given. `serverAlpn`: the protocols
 * that the server knows over TLS, null for plain connections.
 */
export async function setUp(
  limits: Partial<CircuitBreakerLimits> = {},
  connections: Partial<ConnectionLimits> = {},
  serve: (connection: Connection) => ConnectionHandler = () => new Recorder(),
  serverAlpn: (() => readonly string[]) | null = null,
) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 1, splitReads: false });
  const identity = (name: string): string => `spiffe://mesh/ns/default/sa/${name}`;
  const client = network.addNode({ name: 'client', addresses: ['10.0.0.1'], identity: identity('client') });
  const server = network.addNode({ name: 'server', addresses: ['10.0.0.2'], identity: identity('server') });
  const accepted: Connection[] = [];
  const listening = {
    address: { host: '10.0.0.2', port: 80 },
    security: serverAlpn === null ? null : () => simulatedTls(serverAlpn()),
  };
  await server.listen(listening, (connection) => {
    accepted.push(connection);
    return serve(connection);
  });
  const answer = (index: number, text = response): void => {
    accepted[index]!.writeLatin1(text);
    clock.advance(10);
  };
  const sources: string[] = [];
  const transport: Transport = {
    ownAddress: client.ownAddress,
    listen: (options, accept) => client.listen(options, accept),
    secure: (...parameters) => client.secure(...parameters),
    connect: (options, handler) => {
      sources.push(options.source?.host ?? '');
      return client.connect(options, handler);
    },
  };
  const metrics = new ClusterMetrics(new MetricRegistry(), 'c');
  const breaker = new CircuitBreaker(
    { ...defaultCircuitBreakerLimits, ...limits },
    metrics.circuitBreaker('default', true),
  );
  const timers = new TimerWheel(clock);
  const clientTls = simulatedTls([]);
  const endpoint = (port: number): Endpoint<ConnectionPool> =>
    new Endpoint(
      '10.0.0.2',
      port,
      1,
      'healthy',
      (self) =>
        new ConnectionPool({
          endpoint: self,
          limits: { ...defaultConnectionLimits, ...connections },
          metrics,
          breaker,
          security: serverAlpn === null ? null : clientTls,
          source: null,
          proxyProtocol: null,
          transport,
          timers,
          clock,
          http2: testContext(clock, new SeededRandom(1)),
        }),
    );
  return {
    clock,
    network,
    accepted,
    sources,
    answer,
    metrics,
    breaker,
    endpoint,
    pool: (port: number) => endpoint(port).pool,
  };
}
