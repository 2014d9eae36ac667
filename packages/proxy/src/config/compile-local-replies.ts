import { compileJsonAccessLogFormat, compileReplyFormat } from '@heddle/telemetry';
import { assertNever } from '@heddle/base';
import type { SubstitutionFormatString } from '@heddle/xds/api/envoy/config/core/v3/substitution_format_string.ts';
import type {
  LocalReplyConfig,
  ResponseMapper,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { AccessLogFilter } from '../access-log/access-log-filter.ts';
import { LocalReplyRules, type ReplyFormat, type ReplyMapper } from '../http/local-reply-rules.ts';
import { compileAdditions } from '../routing/compile-headers.ts';
import { isHeaderValue } from '../routing/header-syntax.ts';
import { compileAccessLogFilter } from './compile-access-log-filter.ts';
import { inlineBytes } from './inline-bytes.ts';
import type { ProblemList } from './problem-list.ts';

/** Compiles a `local_reply_config`; null where there is none, and with problems noted. */
export function compileLocalReplies(
  config: LocalReplyConfig | undefined,
  path: string,
  problems: ProblemList,
): LocalReplyRules | null {
  if (config === undefined) return null;
  const mappers = config.mappers.flatMap(
    (mapper, index) => compileMapper(mapper, `${path}.mappers[${index}]`, problems) ?? [],
  );
  return new LocalReplyRules(mappers, compileFormat(config.bodyFormat, `${path}.body_format`, problems));
}

function compileMapper(mapper: ResponseMapper, path: string, problems: ProblemList): ReplyMapper | null {
  const { statusCode, body } = mapper;
  let filter: AccessLogFilter | null = null;
  if (mapper.filter === undefined) problems.invalid(`${path}.filter`, 'is required');
  else filter = compileAccessLogFilter(mapper.filter, `${path}.filter`, problems);
  if (statusCode !== undefined && (statusCode < 200 || statusCode > 599))
    problems.invalid(`${path}.status_code`, `${statusCode} is not within 200 to 599`);
  const headers = compileAdditions(mapper.headersToAdd, 'response', `${path}.headers_to_add`, problems);
  const text = body === undefined ? null : inlineBytes(body, `${path}.body`, problems).toString();
  const format = compileFormat(mapper.bodyFormatOverride, `${path}.body_format_override`, problems);
  if (filter === null) return null;
  return {
    filter,
    status: statusCode ?? 0,
    body: text,
    format,
    headers: headers.length === 0 ? null : headers,
  };
}

function compileFormat(
  message: SubstitutionFormatString | undefined,
  path: string,
  problems: ProblemList,
): ReplyFormat | null {
  if (message === undefined) return null;
  const { format: specifier, contentType } = message;
  if (message.omitEmptyValues) problems.unsupported(`${path}.omit_empty_values`);
  if (!isHeaderValue(contentType)) problems.invalid(`${path}.content_type`, 'is no media type');
  const isJson = specifier?.$case === 'jsonFormat';
  const compiled = isJson
    ? compileJsonAccessLogFormat(specifier.value ?? {}, `${path}.json_format`)
    : textOf(specifier, path, problems);
  if (compiled === null) return null;
  if (!compiled.ok) {
    problems.addAll(compiled.error);
    return null;
  }
  const usual = isJson ? 'application/json' : 'text/plain';
  return { format: compiled.value, contentType: contentType === '' ? usual : contentType };
}

function textOf(
  specifier: Exclude<SubstitutionFormatString['format'], { $case: 'jsonFormat' }>,
  path: string,
  problems: ProblemList,
): ReturnType<typeof compileReplyFormat> | null {
  switch (specifier?.$case) {
    case undefined:
      problems.invalid(path, 'needs one of text_format_source, json_format');
      return null;
    case 'textFormat':
      return compileReplyFormat(specifier.value, `${path}.text_format`);
    case 'textFormatSource': {
      const place = `${path}.text_format_source`;
      return compileReplyFormat(inlineBytes(specifier.value, place, problems).toString(), place);
    }
    default:
      return assertNever(specifier);
  }
}
