// Hot path.
import type { Random } from '@heddle/base';
import type { FilteredExchange, HoldingFilter } from '../../http/http-filter.ts';
import type { IncomingRequest } from '../../http/incoming-request.ts';
import type { LocalReply } from '../../http/response-flags.ts';
import type { Fraction } from '../../routing/route-entry.ts';
import type { RouteMatch } from '../../routing/route-match.ts';
import type { Connection } from '../../transport/transport.ts';
import { abortReply, grpcAbortReply } from './abort-replies.ts';
import type { FaultConfig } from './fault-config.ts';
import type { FaultMetrics } from './fault-metrics.ts';

export interface FaultFilterSettings {
  readonly kind: 'fault';
  /** By which routes speak to it. */
  readonly name: string;
  readonly isDisabled: boolean;
  readonly fault: FaultConfig;
}

/** The largest status of gRPC. */
const maxGrpcStatus = 16;
const digits = /^\d{1,9}$/;

/** `envoy.filters.http.fault`: holds requests back and refuses them, as many as it, or the route instead, says. */
export class FaultFilter implements HoldingFilter {
  private readonly name: string;
  /** Null where only routes have one. */
  private readonly config: FaultConfig | null;
  private readonly metrics: FaultMetrics;
  private readonly random: Random;

  constructor({ name, isDisabled, fault }: FaultFilterSettings, metrics: FaultMetrics, random: Random) {
    this.random = random;
    this.name = name;
    const isIdle = fault.delay === null && fault.abort === null;
    this.config = isDisabled || isIdle ? null : fault;
    this.metrics = metrics;
  }

  onRequest(
    request: IncomingRequest,
    _connection: Connection,
    route: RouteMatch<unknown> | null,
    exchange: FilteredExchange,
  ): LocalReply | null {
    const config = this.configFor(route);
    if (config === null) return null;
    if (config.upstreamCluster !== '' && route?.clusterName !== config.upstreamCluster) return null;
    const { headers } = config;
    for (let i = 0; i < headers.length; i++) if (!headers[i]!.matches(request)) return null;
    const delayMs = delayOf(config, request, this.random);
    if (delayMs > 0 && this.hasRoom(config)) {
      this.metrics.delays.value++;
      this.metrics.active.value++;
      exchange.hold(delayMs, this);
      return null;
    }
    const reply = abortOf(config, request, this.random);
    if (reply === null || !this.hasRoom(config)) return null;
    this.metrics.aborts.value++;
    return reply;
  }

  onHeld(request: IncomingRequest, route: RouteMatch<unknown> | null): LocalReply | null {
    const config = this.configFor(route);
    const reply = config === null ? null : abortOf(config, request, this.random);
    if (reply !== null) this.metrics.aborts.value++;
    return reply;
  }

  onHeldEnded(): void {
    this.metrics.active.value--;
  }

  /** What is most specific wins whole. */
  private configFor(route: RouteMatch<unknown> | null): FaultConfig | null {
    const own = route?.filters?.get(this.name);
    if (own === undefined) return this.config;
    if (own.kind === 'disabled') return null;
    return own.kind === 'fault' ? own.fault : this.config;
  }

  private hasRoom({ maxActive }: FaultConfig): boolean {
    if (this.metrics.active.value < maxActive) return true;
    this.metrics.overflows.value++;
    return false;
  }
}

/** 0 for none. */
function delayOf({ delay }: FaultConfig, request: IncomingRequest, random: Random): number {
  if (delay === null) return 0;
  if (delay.kind === 'fixed') return isHit(delay.share, null, random) ? delay.ms : 0;
  const told = numberOf(request, 'x-envoy-fault-delay-request');
  if (told === null) return 0;
  const share = request.headerValue('x-envoy-fault-delay-request-percentage', 0);
  return isHit(delay.share, share, random) ? told : 0;
}

function abortOf({ abort }: FaultConfig, request: IncomingRequest, random: Random): LocalReply | null {
  if (abort === null) return null;
  if (abort.kind === 'reply') return isHit(abort.share, null, random) ? abort.reply : null;
  const status = numberOf(request, 'x-envoy-fault-abort-request');
  const isStatus = status !== null && status >= 200 && status <= 599;
  const grpcStatus = isStatus ? null : numberOf(request, 'x-envoy-fault-abort-grpc-request');
  const isGrpcStatus = grpcStatus !== null && grpcStatus <= maxGrpcStatus;
  if (!isStatus && !isGrpcStatus) return null;
  const share = request.headerValue('x-envoy-fault-abort-request-percentage', 0);
  if (!isHit(abort.share, share, random)) return null;
  return isStatus ? abortReply(status) : grpcAbortReply(grpcStatus!);
}

function numberOf(request: IncomingRequest, name: string): number | null {
  const value = request.headerValue(name, 0);
  return value !== null && digits.test(value) ? Number(value) : null;
}

/** By chance; a request may ask for less than its configuration allows, in the same parts of a whole. */
function isHit({ numerator, denominator }: Fraction, asked: string | null, random: Random): boolean {
  const wanted = asked !== null && digits.test(asked) ? Math.min(Number(asked), numerator) : numerator;
  return wanted > 0 && random.uint32() % denominator < wanted;
}
