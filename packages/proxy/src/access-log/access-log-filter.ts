// Hot path: asked once for each finished request; none of them allocates.
import type { Random } from '@heddle/base';
import type { AccessLogEntry } from '@heddle/telemetry';
import { grpcStatusOfHttp } from '../grpc/status.ts';
import type { HeaderMatcher } from '../routing/header-matcher.ts';
import type { RequestView } from '../routing/request-view.ts';

/** What an access log is told of: what its lines are made of, and what decides whether there is one. */
export interface LoggedEntry extends AccessLogEntry {
  /** Value of `x-request-id`; empty for none. */
  readonly requestId: string;
  /** What header filters look at; null for a connection, and for a request that could not be read. */
  readonly loggedRequest: RequestView | null;
}

/** Which requests (or connections) are logged. */
export interface AccessLogFilter {
  passes(entry: LoggedEntry, random: Random): boolean;
}

export type Comparison = 'equal' | 'not-equal' | 'at-least' | 'at-most';

/** `status_code_filter` (0 where no response was sent) and `duration_filter` (whole milliseconds). */
export class NumberFilter implements AccessLogFilter {
  readonly subject: 'status' | 'duration';
  readonly comparison: Comparison;
  readonly bound: number;

  constructor(subject: 'status' | 'duration', comparison: Comparison, bound: number) {
    this.subject = subject;
    this.comparison = comparison;
    this.bound = bound;
  }

  passes(entry: LoggedEntry): boolean {
    const { comparison, bound } = this;
    const number = this.subject === 'status' ? entry.responseCode : Math.trunc(entry.durationMs);
    if (comparison === 'at-least') return number >= bound;
    if (comparison === 'at-most') return number <= bound;
    return (number === bound) === (comparison === 'equal');
  }
}

/**
 * `runtime_filter`: `numerator` out of `denominator` entries. Which ones, the request's id decides, so that all proxies on
 * a request's way log the same requests; chance decides where there is no id of hexadecimal digits, or where told so.
 */
export class SampleFilter implements AccessLogFilter {
  readonly numerator: number;
  readonly denominator: number;
  readonly isIndependent: boolean;

  constructor(numerator: number, denominator: number, isIndependent: boolean) {
    this.numerator = numerator;
    this.denominator = denominator;
    this.isIndependent = isIndependent;
  }

  passes(entry: LoggedEntry, random: Random): boolean {
    const fromId = this.isIndependent ? -1 : leadingHex(entry.requestId);
    return (fromId >= 0 ? fromId : random.uint32()) % this.denominator < this.numerator;
  }
}

const idDigits = 8;

/** The number that the first eight characters of an id write in hexadecimal; -1 where they don't. */
function leadingHex(id: string): number {
  if (id.length < idDigits) return -1;
  let number = 0;
  for (let i = 0; i < idDigits; i++) {
    const code = id.charCodeAt(i);
    const lower = code | 0x20;
    const digit =
      code >= 0x30 && code <= 0x39 ? code - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  return number;
}

/** `header_filter`: a header of the request as it went on. */
export class HeaderFilter implements AccessLogFilter {
  readonly matcher: HeaderMatcher;

  constructor(matcher: HeaderMatcher) {
    this.matcher = matcher;
  }

  passes({ loggedRequest }: LoggedEntry): boolean {
    return loggedRequest === null ? this.matcher.matchesAbsence() : this.matcher.matches(loggedRequest);
  }
}

/** `response_flag_filter`: one of these flags, or any flag where there are none. */
export class ResponseFlagFilter implements AccessLogFilter {
  readonly flags: ReadonlySet<string>;

  constructor(flags: ReadonlySet<string>) {
    this.flags = flags;
  }

  passes({ responseFlags }: LoggedEntry): boolean {
    if (responseFlags === '-' || responseFlags === '') return false;
    if (this.flags.size === 0 || this.flags.has(responseFlags)) return true;
    return responseFlags.includes(',') && responseFlags.split(',').some((flag) => this.flags.has(flag));
  }
}

/**
 * `grpc_status_filter`: calls that ended with one of these statuses, or with any other. What is no gRPC call has the status
 * that its HTTP status stands for.
 */
export class GrpcStatusFilter implements AccessLogFilter {
  readonly statuses: ReadonlySet<number>;
  readonly isExcluding: boolean;

  constructor(statuses: ReadonlySet<number>, isExcluding: boolean) {
    this.statuses = statuses;
    this.isExcluding = isExcluding;
  }

  passes({ grpcStatus, responseCode }: LoggedEntry): boolean {
    const status = grpcStatus < 0 ? grpcStatusOfHttp(responseCode) : grpcStatus;
    return this.statuses.has(status) !== this.isExcluding;
  }
}

/** `and_filter`: what all of these let through. */
export class AllFilters implements AccessLogFilter {
  readonly filters: readonly AccessLogFilter[];

  constructor(filters: readonly AccessLogFilter[]) {
    this.filters = filters;
  }

  passes(entry: LoggedEntry, random: Random): boolean {
    for (let i = 0; i < this.filters.length; i++) if (!this.filters[i]!.passes(entry, random)) return false;
    return true;
  }
}

/** `or_filter`: what one of these lets through. */
export class AnyFilter implements AccessLogFilter {
  readonly filters: readonly AccessLogFilter[];

  constructor(filters: readonly AccessLogFilter[]) {
    this.filters = filters;
  }

  passes(entry: LoggedEntry, random: Random): boolean {
    for (let i = 0; i < this.filters.length; i++) if (this.filters[i]!.passes(entry, random)) return true;
    return false;
  }
}

/** Lets everything through: `not_health_check_filter`, as long as no filter answers health checks itself. */
export const everyEntry: AccessLogFilter = { passes: () => true };
