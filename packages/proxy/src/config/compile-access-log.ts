import { assertNever } from '@heddle/base';
import {
  type AccessLogFormatter,
  compileAccessLogFormat,
  compileJsonAccessLogFormat,
  defaultAccessLogFormat,
  type JsonFormat,
} from '@heddle/telemetry';
import { TypeUrl } from '@heddle/xds';
import type { AccessLog } from '@heddle/xds/api/envoy/config/accesslog/v3/accesslog.ts';
import type { SubstitutionFormatString } from '@heddle/xds/api/envoy/config/core/v3/substitution_format_string.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { AccessLogConfig } from '../access-log/access-log.ts';
import { compileAccessLogFilter } from './compile-access-log-filter.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** Compiles a list of access logs. */
export function compileAccessLogs(
  logs: readonly AccessLog[],
  path: string,
  problems: ProblemList,
): AccessLogConfig[] {
  const compiled: AccessLogConfig[] = [];
  for (const [index, log] of logs.entries()) {
    const config = compileAccessLog(log, `${path}[${index}]`, problems);
    if (config !== null) compiled.push(config);
  }
  return compiled;
}

function compileAccessLog(log: AccessLog, path: string, problems: ProblemList): AccessLogConfig | null {
  const filter =
    log.filter === undefined ? null : compileAccessLogFilter(log.filter, `${path}.filter`, problems);
  const target = compileTarget(log.name, log.configType?.value, `${path}.typed_config`, problems);
  return target === null ? null : { ...target, filter };
}

interface Target {
  readonly path: string;
  readonly format: AccessLogFormatter;
}

function compileTarget(
  name: string,
  config: Any | undefined,
  path: string,
  problems: ProblemList,
): Target | null {
  switch (config?.typeUrl) {
    case TypeUrl.fileAccessLog: {
      const file = unpackConfig(config, TypeUrl.fileAccessLog, path, problems);
      if (file?.path === '') problems.invalid(`${path}.path`, 'must not be empty');
      return file === null ? null : target(file.path, file.accessLogFormat?.value, path, problems);
    }
    case TypeUrl.stdoutAccessLog: {
      const stream = unpackConfig(config, TypeUrl.stdoutAccessLog, path, problems);
      return stream === null ? null : target('/dev/stdout', stream.accessLogFormat?.value, path, problems);
    }
    case TypeUrl.stderrAccessLog: {
      const stream = unpackConfig(config, TypeUrl.stderrAccessLog, path, problems);
      return stream === null ? null : target('/dev/stderr', stream.accessLogFormat?.value, path, problems);
    }
    default:
      refuseExtension(name, config, path, problems);
      return null;
  }
}

function target(
  file: string,
  format: SubstitutionFormatString | undefined,
  path: string,
  problems: ProblemList,
): Target | null {
  const formatter = compileFormat(format, `${path}.log_format`, problems);
  return formatter === null ? null : { path: file, format: formatter };
}

function compileFormat(
  message: SubstitutionFormatString | undefined,
  path: string,
  problems: ProblemList,
): AccessLogFormatter | null {
  if (message?.omitEmptyValues === true) problems.unsupported(`${path}.omit_empty_values`);
  const format = message?.format;
  switch (format?.$case) {
    case undefined:
      return textFormat(defaultAccessLogFormat, path, problems);
    case 'textFormat':
      return textFormat(format.value, `${path}.text_format`, problems);
    case 'textFormatSource': {
      const source = format.value.specifier;
      if (source?.$case === 'inlineString') {
        return textFormat(source.value, `${path}.text_format_source.inline_string`, problems);
      }
      problems.unsupported(`${path}.text_format_source`, 'anything but inline_string');
      return null;
    }
    case 'jsonFormat': {
      // A Struct holds what JSON holds and nothing else.
      const json = (format.value ?? {}) as JsonFormat;
      const formatter = compileJsonAccessLogFormat(json, `${path}.json_format`);
      if (formatter.ok) return formatter.value;
      problems.addAll(formatter.error);
      return null;
    }
    default:
      return assertNever(format);
  }
}

function textFormat(format: string, path: string, problems: ProblemList): AccessLogFormatter | null {
  const formatter = compileAccessLogFormat(format, path);
  if (formatter.ok) return formatter.value;
  problems.addAll(formatter.error);
  return null;
}
