import type { ServiceSummary } from '../generated/api.ts';
import { errorShare, judgeService, type ServiceHealth } from '../health/service-health.ts';
import { history, historyVersion } from '../state/app-state.ts';

/** A service with its figures of the last ten seconds. */
export interface ServiceFigures {
  readonly service: ServiceSummary;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** Between 0 and 1. */
  readonly errorShare: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly health: ServiceHealth;
  /** False where no traffic was ever reported. */
  readonly hasTraffic: boolean;
}

/**
 * Rates come from the stream, each second. Latencies are the control plane's: quantiles of ten seconds cannot be had
 * from the quantiles of ten single ones.
 */
export function figuresOf(service: ServiceSummary): ServiceFigures {
  // Read so that whoever shows the figures is told when they change.
  void historyVersion.value;
  const rate = history.rate(service.namespace, service.name) ?? service.traffic;
  const requestsPerSecond = rate?.requestsPerSecond ?? 0;
  const errorsPerSecond = rate?.errorsPerSecond ?? 0;
  return {
    service,
    requestsPerSecond,
    errorsPerSecond,
    errorShare: errorShare(requestsPerSecond, errorsPerSecond),
    p50Ms: service.traffic?.p50Ms ?? null,
    p99Ms: service.traffic?.p99Ms ?? null,
    health: judgeService(service.instances, requestsPerSecond, errorsPerSecond),
    hasTraffic: rate !== null,
  };
}
