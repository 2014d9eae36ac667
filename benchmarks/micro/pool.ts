// A request on a pooled connection: taking one, writing, reading a small answer, giving it back; no sockets.
// Run: node benchmarks/micro/pool.ts
import { TimerWheel, systemClock, systemRandom } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import {
  CircuitBreaker,
  defaultCircuitBreakerLimits,
} from '../../packages/proxy/src/cluster/circuit-breaker.ts';
import { ClusterMetrics } from '../../packages/proxy/src/cluster/cluster-metrics.ts';
import { ConnectionPool, type ConnectionWaiter } from '../../packages/proxy/src/cluster/connection-pool.ts';
import { Endpoint } from '../../packages/proxy/src/cluster/endpoint.ts';
import { defaultClientSettings } from '../../packages/proxy/src/http1/client-connection.ts';
import { FlushQueue } from '../../packages/proxy/src/http2/flush-queue.ts';
import { defaultHttp2Options } from '../../packages/proxy/src/http2/http2-options.ts';
import {
  type ClientStream,
  ResponseKind,
  type UpstreamExchange,
} from '../../packages/proxy/src/codec/client-stream.ts';
import { requestFromText } from '../../packages/proxy/src/http1/message-from-text.ts';
import type {
  Connection,
  ConnectionHandler,
  Transport,
} from '../../packages/proxy/src/transport/transport.ts';
import { bench, run } from './harness.ts';

let upstream: ConnectionHandler | null = null;

/** Takes everything and says nothing: what is used of a connection here. */
const silent = {
  writeLatin1: () => true,
  tls: null,
  setHandler: (handler: ConnectionHandler) => {
    upstream = handler;
  },
  resumeReading: () => undefined,
  localAddress: '127.0.0.1',
  localPort: 1,
} as unknown as Connection;
const transport = {
  connect: (_options: unknown, handler: ConnectionHandler) => {
    upstream = handler;
    return silent;
  },
} as unknown as Transport;

class Request implements ConnectionWaiter, UpstreamExchange {
  answered = 0;
  readonly wantsUpgrade = false;
  readonly hasUpgradeBody = false;
  onConnection(connection: ClientStream): void {
    connection.sendHead(this, plainRequest, ResponseKind.usual);
    connection.endRequest();
  }
  onResponseEnd(): void {
    this.answered++;
  }
  onConnectFailed(): void {}
  onOverflow(): void {}
  onResponseHead(): void {}
  onInterimResponse(): void {}
  onUpgraded(): void {}
  onResponseTrailers(): void {}
  onResponseBody(): void {}
  onResponsePause(): void {}
  onRequestDrain(): void {}
  onUpstreamFailed(): void {}
}

const plainRequest = requestFromText('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
const metrics = new ClusterMetrics(new MetricRegistry(), 'backend');
const breaker = new CircuitBreaker(defaultCircuitBreakerLimits, metrics.circuitBreaker('default', true));
const timers = new TimerWheel(systemClock);
const { pool } = new Endpoint<ConnectionPool>('127.0.0.1', 1, 1, 'healthy', (endpoint) => {
  const limits = {
    connectTimeoutMs: 1000,
    keepAliveMs: null,
    idleTimeoutMs: 3_600_000,
    maxDurationMs: 0,
    maxRequests: 0,
    protocol: 'http1' as const,
    responses: defaultClientSettings,
    http2: defaultHttp2Options,
  };
  const http2 = {
    clock: systemClock,
    random: systemRandom,
    timers,
    flushes: new FlushQueue(systemClock),
  };
  const shared = { endpoint, limits, metrics, breaker, transport, timers, clock: systemClock, http2 };
  return new ConnectionPool({ ...shared, security: null, source: null, proxyProtocol: null });
});
const request = new Request();
const answer = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: 128\r\n\r\n${'x'.repeat(128)}`);

pool.acquire(request);
upstream!.onConnect();
upstream!.onData(answer, 0, answer.length);

bench('a request and its answer', () => {
  const before = request.answered;
  pool.acquire(request);
  upstream!.onData(answer, 0, answer.length);
  if (request.answered !== before + 1) throw new Error('the request was not answered');
});

await run();
