// Hot path.
import { assertNever, type Random } from '@heddle/base';
import type { AccessLogEntry, AccessLogFormatter } from '@heddle/telemetry';

/** Which requests are logged. */
export type AccessLogFilter =
  | {
      readonly kind: 'status';
      readonly comparison: 'equal' | 'at-least' | 'at-most';
      readonly status: number;
    }
  /** `numerator` out of `denominator` requests. */
  | { readonly kind: 'sample'; readonly numerator: number; readonly denominator: number };

/** One access log of a listener, as configured. */
export interface AccessLogConfig {
  /** A file, `/dev/stdout` or `/dev/stderr`. */
  readonly path: string;
  readonly format: AccessLogFormatter;
  /** Null logs every request. */
  readonly filter: AccessLogFilter | null;
}

/** Where lines go; a `LogFile` is one. */
export interface LineSink {
  write(line: string): void;
}

/** Logs the requests that its filter lets through. */
export class AccessLog {
  private readonly format: AccessLogFormatter;
  private readonly filter: AccessLogFilter | null;
  private readonly sink: LineSink;
  private readonly random: Random;

  constructor(config: AccessLogConfig, sink: LineSink, random: Random) {
    this.format = config.format;
    this.filter = config.filter;
    this.sink = sink;
    this.random = random;
  }

  log(entry: AccessLogEntry): void {
    if (this.filter === null || passes(this.filter, entry, this.random)) this.sink.write(this.format(entry));
  }
}

function passes(filter: AccessLogFilter, entry: AccessLogEntry, random: Random): boolean {
  switch (filter.kind) {
    case 'sample':
      return random.uint32() % filter.denominator < filter.numerator;
    case 'status':
      return compare(entry.responseCode, filter);
    default:
      return assertNever(filter);
  }
}

function compare(status: number, filter: AccessLogFilter & { readonly kind: 'status' }): boolean {
  switch (filter.comparison) {
    case 'equal':
      return status === filter.status;
    case 'at-least':
      return status >= filter.status;
    case 'at-most':
      return status <= filter.status;
    default:
      return assertNever(filter.comparison);
  }
}
