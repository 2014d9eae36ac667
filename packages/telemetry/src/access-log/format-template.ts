import { err, ok, type Problem, type Result } from '@heddle/base';
import { type Operator, type OperatorCall, resolveOperator } from './operators.ts';

/** A format string taken apart: literals and operators alternate in order. */
export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'operator'; readonly name: string; readonly operator: Operator };

// %NAME%, %NAME(parameter)%, %NAME(parameter):length%; a parameter may hold percent signs (START_TIME).
const operatorCall = /%(?<name>[A-Za-z0-9_]+)(?:\((?<parameter>[^)]*)\))?(?::(?<length>\d{1,6}))?%/y;

/** Parses Envoy's format string. All problems are reported, each under `path`. */
export function parseTemplate(format: string, path: string): Result<TemplatePart[], Problem[]> {
  const problem = (message: string, hint?: string): Problem => ({
    code: 'HEDDLE_ACCESS_LOG_FORMAT',
    severity: 'error',
    message,
    path,
    ...(hint === undefined ? {} : { hint }),
  });
  const parts: TemplatePart[] = [];
  const problems: Problem[] = [];
  let literal = '';
  let position = 0;
  while (position < format.length) {
    const percent = format.indexOf('%', position);
    if (percent < 0) break;
    literal += format.slice(position, percent);
    if (format[percent + 1] === '%') {
      literal += '%';
      position = percent + 2;
      continue;
    }
    operatorCall.lastIndex = percent;
    const match = operatorCall.exec(format);
    if (match === null) {
      problems.push(
        problem(
          `"${format.slice(percent, percent + 40)}" is no format operator`,
          'write %% for a percent sign',
        ),
      );
      return err(problems);
    }
    if (literal !== '') parts.push({ kind: 'literal', text: literal });
    literal = '';
    position = percent + match[0].length;
    const call = callOf(match.groups ?? {});
    const resolved = resolveOperator(call, problem);
    if ('code' in resolved) problems.push(resolved);
    else parts.push({ kind: 'operator', name: call.name, operator: resolved });
  }
  literal += format.slice(position);
  if (literal !== '') parts.push({ kind: 'literal', text: literal });
  return problems.length > 0 ? err(problems) : ok(parts);
}

function callOf(groups: Readonly<Record<string, string | undefined>>): OperatorCall {
  const { name = '', parameter = null, length } = groups;
  return { name, parameter, maxLength: length === undefined ? -1 : Number(length) };
}
