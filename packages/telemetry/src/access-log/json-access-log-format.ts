// Hot path: the formatter runs per logged request; everything else once per configuration.
import { err, ok, type Problem, type Result } from '@heddle/base';
import { type AccessLogFormatter, LineParts, type ValueWriter } from './access-log-format.ts';
import { quoteJson } from './escape.ts';
import { parseTemplate, type TemplatePart } from './format-template.ts';
import type { Operator } from './operators.ts';

/** The shape of a JSON log line: strings are format strings, anything else is written as it is. */
export type JsonFormat =
  | string
  | number
  | boolean
  | null
  | readonly JsonFormat[]
  | { readonly [key: string]: JsonFormat };

/**
 * Compiles Envoy's `json_format`. A value that is one operator keeps its type, and is null where there is nothing to
 * tell; in mixed text a missing value is `-`. `path` is where the format stands, for problems.
 */
export function compileJsonAccessLogFormat(
  format: JsonFormat,
  path = '',
): Result<AccessLogFormatter, Problem[]> {
  const problems: Problem[] = [];
  const line = new LineParts();
  append(format, path, line, problems);
  line.literal('\n');
  return problems.length > 0 ? err(problems) : ok(line.writer());
}

function append(format: JsonFormat, path: string, line: LineParts, problems: Problem[]): void {
  if (typeof format === 'string') {
    appendString(format, path, line, problems);
  } else if (isArray(format)) {
    line.literal('[');
    for (const [index, item] of format.entries()) {
      if (index > 0) line.literal(',');
      append(item, `${path}[${index}]`, line, problems);
    }
    line.literal(']');
  } else if (typeof format === 'object' && format !== null) {
    line.literal('{');
    for (const [index, [key, value]] of Object.entries(format).entries()) {
      line.literal(`${index > 0 ? ',' : ''}${quoteJson(key)}:`);
      append(value, path === '' ? key : `${path}.${key}`, line, problems);
    }
    line.literal('}');
  } else {
    line.literal(JSON.stringify(format));
  }
}

function isArray(format: JsonFormat): format is readonly JsonFormat[] {
  return Array.isArray(format);
}

function appendString(format: string, path: string, line: LineParts, problems: Problem[]): void {
  const parts = parseTemplate(format, path);
  if (!parts.ok) {
    problems.push(...parts.error);
    return;
  }
  const [first] = parts.value;
  if (parts.value.length === 1 && first?.kind === 'operator') {
    line.value(typedWriter(first.operator));
    return;
  }
  line.literal('"');
  for (const part of parts.value) appendText(part, line);
  line.literal('"');
}

/** A part within a JSON string: escaped as such, without the quotes. */
function appendText(part: TemplatePart, line: LineParts): void {
  if (part.kind === 'literal') {
    line.literal(unquoted(part.text));
    return;
  }
  const { operator } = part;
  if (operator.kind === 'number') {
    line.value((entry) => {
      const value = operator.read(entry);
      return value < 0 ? '-' : String(value);
    });
  } else {
    const missing = operator.kind === 'string' ? '-' : '';
    line.value((entry) => unquoted(operator.read(entry, entry) || missing));
  }
}

function unquoted(text: string): string {
  return quoteJson(text).slice(1, -1);
}

function typedWriter(operator: Operator): ValueWriter {
  if (operator.kind === 'number') {
    return (entry) => {
      const value = operator.read(entry);
      return value < 0 ? 'null' : String(value);
    };
  }
  return (entry) => {
    const value = operator.read(entry, entry);
    return value === '' && operator.kind === 'string' ? 'null' : quoteJson(value);
  };
}
