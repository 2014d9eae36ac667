// Hot path.
import type { Random } from '@heddle/base';
import type { AccessLogFormatter } from '@heddle/telemetry';
import type { AccessLogFilter, LoggedEntry } from './access-log-filter.ts';

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

  log(entry: LoggedEntry): void {
    if (this.filter === null || this.filter.passes(entry, this.random)) this.sink.write(this.format(entry));
  }
}
