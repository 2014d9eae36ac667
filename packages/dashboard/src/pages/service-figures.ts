import type { ServiceSummary } from '../generated/api.ts';
import { errorShare, judgeService, type ServiceHealth } from '../health/service-health.ts';
import { history, historyVersion } from '../state/app-state.ts';
import { HEALTH_SECONDS, RATE_SECONDS, type TrafficRate } from '../traffic/traffic-history.ts';

/** A service with its figures. */
export interface ServiceFigures {
  readonly service: ServiceSummary;
  /** Over the last ten seconds. */
  readonly requestsPerSecond: number;
  /** The last minute's. */
  readonly minute: TrafficRate;
  /** Failed requests as a share of all over the last minute, between 0 and 1. */
  readonly errorShare: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly health: ServiceHealth;
  /** False where no traffic was ever reported. */
  readonly hasTraffic: boolean;
}

const SILENCE: TrafficRate = { requestsPerSecond: 0, errorsPerSecond: 0 };

/**
 * Rates and errors come from the stream, each second. Latencies are the control plane's, over ten seconds: their
 * quantiles cannot be had from those of ten single seconds.
 */
export function figuresOf(service: ServiceSummary): ServiceFigures {
  // Read so that whoever shows the figures is told when they change.
  void historyVersion.value;
  const rate = history.rate(service.namespace, service.name, RATE_SECONDS) ?? service.traffic;
  const minute = history.rate(service.namespace, service.name, HEALTH_SECONDS) ?? service.traffic ?? SILENCE;
  return {
    service,
    requestsPerSecond: rate?.requestsPerSecond ?? 0,
    minute,
    errorShare: errorShare(minute.requestsPerSecond, minute.errorsPerSecond),
    p50Ms: service.traffic?.p50Ms ?? null,
    p99Ms: service.traffic?.p99Ms ?? null,
    health: judgeService(service.instances, minute.requestsPerSecond, minute.errorsPerSecond),
    hasTraffic: rate !== null,
  };
}
