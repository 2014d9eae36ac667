import type { TrafficEvent, TrafficResponse } from '../generated/api.ts';

/** How far back the dashboard remembers, in seconds. */
export const HISTORY_SECONDS = 300;

/** Rates are told over this window, as the control plane's own summaries are. */
export const RATE_SECONDS = 10;

/**
 * Health is judged, and the share of errors told, over this window: over ten seconds, a service with a rare error would
 * change its colour all the time.
 */
export const HEALTH_SECONDS = 60;

/** One service's last seconds, oldest first, all of one length. NaN where nothing is known or nothing was measured. */
export interface TrafficWindow {
  readonly requests: Float64Array;
  readonly errors: Float64Array;
  readonly p50Ms: Float64Array;
  readonly p99Ms: Float64Array;
}

export interface TrafficRate {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
}

/** A ring per measurement; the slot of a second is that second modulo the ring's length. */
class ServiceRing {
  readonly requests = new Float64Array(HISTORY_SECONDS).fill(NaN);
  readonly errors = new Float64Array(HISTORY_SECONDS).fill(NaN);
  readonly p50Ms = new Float64Array(HISTORY_SECONDS).fill(NaN);
  readonly p99Ms = new Float64Array(HISTORY_SECONDS).fill(NaN);

  write(slot: number, requests: number, errors: number, p50Ms: number | null, p99Ms: number | null): void {
    this.requests[slot] = requests;
    this.errors[slot] = errors;
    this.p50Ms[slot] = p50Ms ?? NaN;
    this.p99Ms[slot] = p99Ms ?? NaN;
  }

  clear(slot: number): void {
    this.write(slot, NaN, NaN, null, null);
  }
}

/**
 * The last five minutes of every service, second by second. What the control plane remembers and what it streams are
 * written by their absolute second, so they may arrive in any order and overlap.
 */
export class TrafficHistory {
  private readonly rings = new Map<string, ServiceRing>();
  private known = new Uint8Array(HISTORY_SECONDS);
  private end = -1;

  /** The newest second, in seconds since 1970; -1 before the first. */
  get endSecond(): number {
    return this.end;
  }

  /** Takes what the control plane remembers. */
  load(response: TrafficResponse): void {
    const last = secondOf(response.endMs);
    this.advance(last);
    for (const series of response.services) {
      const ring = this.ringOf(series.namespace, series.service);
      const length = series.requests.length;
      for (let index = 0; index < length; index++) {
        const second = last - (length - 1 - index);
        if (!this.holds(second)) continue;
        const slot = second % HISTORY_SECONDS;
        this.known[slot] = 1;
        ring.write(
          slot,
          series.requests[index] ?? 0,
          series.errors[index] ?? 0,
          series.p50Ms[index] ?? null,
          series.p99Ms[index] ?? null,
        );
      }
    }
  }

  /** Takes one second. A service that the event doesn't name had no requests in it. */
  append(event: TrafficEvent): void {
    const second = secondOf(event.timeMs);
    this.advance(second);
    if (!this.holds(second)) return;
    const slot = second % HISTORY_SECONDS;
    this.known[slot] = 1;
    for (const ring of this.rings.values()) ring.write(slot, 0, 0, null, null);
    for (const sample of event.services) {
      const ring = this.ringOf(sample.namespace, sample.service);
      ring.write(slot, sample.requestsPerSecond, sample.errorsPerSecond, sample.p50Ms, sample.p99Ms);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.rings.clear();
    this.known.fill(0);
    this.end = -1;
  }

  /** The last `seconds` of one service; all NaN for one that is not known. */
  window(namespace: string, service: string, seconds: number): TrafficWindow {
    const ring = this.rings.get(keyOf(namespace, service));
    return {
      requests: this.unroll(ring?.requests, seconds),
      errors: this.unroll(ring?.errors, seconds),
      p50Ms: this.unroll(ring?.p50Ms, seconds),
      p99Ms: this.unroll(ring?.p99Ms, seconds),
    };
  }

  /** Requests and errors of all services together over the last `seconds`. */
  total(seconds: number): Pick<TrafficWindow, 'requests' | 'errors'> {
    const requests = new Float64Array(seconds).fill(NaN);
    const errors = new Float64Array(seconds).fill(NaN);
    for (const ring of this.rings.values()) {
      addInto(requests, this.unroll(ring.requests, seconds));
      addInto(errors, this.unroll(ring.errors, seconds));
    }
    return { requests, errors };
  }

  /** A service's mean over the last `window` seconds, as far as they are known; null for one that never had traffic. */
  rate(namespace: string, service: string, window: number): TrafficRate | null {
    const ring = this.rings.get(keyOf(namespace, service));
    if (ring === undefined) return null;
    let requests = 0;
    let errors = 0;
    let seconds = 0;
    for (let second = this.end; second > this.end - window && second >= 0; second--) {
      const slot = second % HISTORY_SECONDS;
      const count = ring.requests[slot] ?? NaN;
      if (Number.isNaN(count)) continue;
      requests += count;
      errors += ring.errors[slot] ?? 0;
      seconds++;
    }
    return seconds === 0
      ? null
      : { requestsPerSecond: requests / seconds, errorsPerSecond: errors / seconds };
  }

  private holds(second: number): boolean {
    return second > this.end - HISTORY_SECONDS && second <= this.end;
  }

  private advance(second: number): void {
    if (second <= this.end) return;
    const first = Math.max(this.end + 1, second - HISTORY_SECONDS + 1);
    for (let passed = first; passed <= second; passed++) {
      const slot = passed % HISTORY_SECONDS;
      this.known[slot] = 0;
      for (const ring of this.rings.values()) ring.clear(slot);
    }
    this.end = second;
  }

  private ringOf(namespace: string, service: string): ServiceRing {
    const key = keyOf(namespace, service);
    const present = this.rings.get(key);
    if (present !== undefined) return present;
    const ring = new ServiceRing();
    // It was silent in the seconds that are known already.
    for (let slot = 0; slot < HISTORY_SECONDS; slot++) {
      if (this.known[slot] === 1) ring.write(slot, 0, 0, null, null);
    }
    this.rings.set(key, ring);
    return ring;
  }

  private unroll(ring: Float64Array | undefined, seconds: number): Float64Array {
    const values = new Float64Array(seconds).fill(NaN);
    if (ring === undefined || this.end < 0) return values;
    for (let index = 0; index < seconds; index++) {
      const second = this.end - (seconds - 1 - index);
      if (this.holds(second)) values[index] = ring[second % HISTORY_SECONDS] ?? NaN;
    }
    return values;
  }
}

function keyOf(namespace: string, service: string): string {
  return `${namespace}/${service}`;
}

/** The second that ended at a moment; ends are named with some milliseconds of delay, never early. */
function secondOf(endMs: number): number {
  return Math.floor(endMs / 1000);
}

function addInto(sum: Float64Array, values: Float64Array): void {
  for (let index = 0; index < sum.length; index++) {
    const value = values[index] ?? NaN;
    if (Number.isNaN(value)) continue;
    const present = sum[index] ?? NaN;
    sum[index] = Number.isNaN(present) ? value : present + value;
  }
}
