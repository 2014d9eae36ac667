// Hot path: the formatter runs per logged request; everything else once per configuration.
import { ok, type Problem, type Result } from '@heddle/base';
import type { AccessLogEntry } from './access-log-entry.ts';
import { escapeText } from './escape.ts';
import { parseTemplate } from './format-template.ts';
import type { Operator } from './operators.ts';

/** Renders one log line, end of line included. */
export type AccessLogFormatter = (entry: AccessLogEntry) => string;

/** A part of a line: renders one value. */
export type ValueWriter = (entry: AccessLogEntry) => string;

/** Envoy's default format. */
export const defaultAccessLogFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/** Istio's default format. */
export const istioAccessLogFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

/**
 * Compiles one of Envoy's format strings. A missing value is written as `-`, what a peer sent is escaped.
 * `path` is where the format stands, for problems (`HEDDLE_ACCESS_LOG_FORMAT`).
 */
export function compileAccessLogFormat(format: string, path = ''): Result<AccessLogFormatter, Problem[]> {
  return compileText(format, path, escapeText);
}

/** Compiles the format of an answer in words: as that of a line, but nothing is escaped. */
export function compileReplyFormat(format: string, path = ''): Result<AccessLogFormatter, Problem[]> {
  return compileText(format, path, (text) => text);
}

function compileText(
  format: string,
  path: string,
  escape: (text: string) => string,
): Result<AccessLogFormatter, Problem[]> {
  const parts = parseTemplate(format, path);
  if (!parts.ok) return parts;
  const line = new LineParts();
  for (const part of parts.value) {
    if (part.kind === 'literal') line.literal(part.text);
    else line.value(textWriter(part.operator, escape));
  }
  return ok(line.writer());
}

function textWriter(operator: Operator, escape: (text: string) => string): ValueWriter {
  if (operator.kind === 'number') {
    return (entry) => {
      const value = operator.read(entry);
      return value < 0 ? '-' : String(value);
    };
  }
  return (entry) => {
    const value = operator.read(entry, entry);
    return value === '' && operator.kind === 'string' ? '-' : escape(value);
  };
}

/** Collects a line's literals and values, with neighbouring literals joined. */
export class LineParts {
  private readonly literals: string[] = [];
  private readonly values: ValueWriter[] = [];
  private pending = '';

  literal(text: string): void {
    this.pending += text;
  }

  value(writer: ValueWriter): void {
    this.literals.push(this.pending);
    this.pending = '';
    this.values.push(writer);
  }

  writer(): ValueWriter {
    const { literals, values, pending: tail } = this;
    return (entry) => {
      let line = '';
      for (let i = 0; i < values.length; i++) line += literals[i]! + values[i]!(entry);
      return line + tail;
    };
  }
}
