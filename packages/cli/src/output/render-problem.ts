import { styleText } from 'node:util';
import type { Problem } from '@heddle/base';
import { wrapText } from './wrap.ts';

/**
 * Renders a problem with the line it is about:
 *
 *     reviews.yaml:12:5: error: unknown field 'rout'; did you mean 'route'?
 *       12 |   - rout:
 *          |     ^
 *       at spec.http[0].rout (HEDDLE_UNKNOWN_FIELD)
 *
 * `source` is the text of the file that the problem names, where there is one.
 */
export function renderProblem(problem: Problem, source?: string): string {
  const style = (format: 'red' | 'yellow' | 'dim' | 'bold', text: string): string =>
    styleText(format, text, { stream: process.stderr });
  const color = problem.severity === 'error' ? 'red' : 'yellow';
  const place = [problem.file === '-' ? 'standard input' : problem.file, problem.line, problem.column]
    .filter((part) => part !== undefined)
    .join(':');
  const head = `${place === '' ? '' : `${style('bold', `${place}:`)} `}${style(color, `${problem.severity}:`)}`;
  const lines = [`${head} ${problem.message}`];
  const text = problem.line === undefined ? undefined : source?.split(/\r?\n/)[problem.line - 1];
  if (problem.line !== undefined && text !== undefined) {
    const number = String(problem.line);
    const indent = text.slice(0, (problem.column ?? 1) - 1).replaceAll(/[^\t]/g, ' ');
    lines.push(`  ${style('dim', `${number} |`)} ${text}`);
    lines.push(`  ${style('dim', `${' '.repeat(number.length)} |`)} ${indent}${style(color, '^')}`);
  }
  const path = problem.path === undefined || problem.path === '' ? '' : `at ${problem.path} `;
  lines.push(`  ${style('dim', `${path}(${problem.code})`)}`);
  if (problem.hint !== undefined)
    lines.push(...wrapText(`hint: ${problem.hint}`, 78).map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}
