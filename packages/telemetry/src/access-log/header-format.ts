// Hot path: the formats made here run per request; everything else once per configuration.
import { ok, type Problem, type Result } from '@heddle/base';
import type { AccessLogEntry, HeaderSource } from './access-log-entry.ts';
import { parseTemplate, type TemplatePart } from './format-template.ts';

/** Makes the value of a header field of a request under way. `headers` are the fields as they are at that moment. */
export type HeaderFormat = (entry: AccessLogEntry, headers: HeaderSource) => string;

/** Which message the field is added to. */
export type FormattedMessage = 'request' | 'response';

/**
 * Compiles the value of a header field that is added, in Envoy's format: a string where nothing in it depends on the
 * request. What is missing leaves nothing behind, in contrast to access logs. Of what only the upstream's connection tells a
 * request says nothing, since its fields are made, in Envoy, before there is one. `path` is where the format stands, for
 * problems.
 */
export function compileHeaderFormat(
  format: string,
  message: FormattedMessage,
  path = '',
): Result<string | HeaderFormat, Problem[]> {
  const parsed = parseTemplate(format, path);
  if (!parsed.ok) return parsed;
  const parts = message === 'request' ? parsed.value.filter(isKnownEarly) : parsed.value;
  if (parts.every((part) => part.kind === 'literal')) return ok(parts.map(({ text }) => text).join(''));
  const formats = parts.map(partFormat);
  const [only] = formats;
  if (formats.length === 1) return ok(only!);
  return ok((entry, headers) => {
    let value = '';
    for (let i = 0; i < formats.length; i++) value += formats[i]!(entry, headers);
    return value;
  });
}

function isKnownEarly(part: TemplatePart): boolean {
  return part.kind === 'literal' || !/^UPSTREAM_(?!CLUSTER|REQUEST_)/.test(part.name);
}

function partFormat(part: TemplatePart): HeaderFormat {
  if (part.kind === 'literal') return () => part.text;
  const { operator } = part;
  if (operator.kind !== 'number') return operator.read;
  return (entry) => {
    const value = operator.read(entry);
    return value < 0 ? '' : String(value);
  };
}
