import { styleText } from 'node:util';
import type { Problem } from '@heddle/base';
import { holdsSecret } from './holds-secret.ts';
import { visible } from './visible.ts';
import { wrapText } from './wrap.ts';

/** How long lines may be where no terminal says it, as in a log. */
const withoutTerminalColumns = 120;
const narrowestExcerpt = 20;

/** The part of a line around a place (0-based) that fits into so many columns, and what stands before the place in it. */
function excerpt(text: string, place: number, available: number): { shown: string; before: string } {
  // The caret may stand behind the last letter.
  const length = Math.max(narrowestExcerpt, available) - 1;
  if (text.length <= length) return { shown: text, before: text.slice(0, place) };
  const start = Math.max(0, Math.min(place - Math.floor(length / 2), text.length - length));
  const end = start + length;
  // A cut may go through a letter of two halves.
  const part = text.slice(start === 0 ? 0 : start + 1, end === text.length ? end : end - 1).toWellFormed();
  const shown = `${start === 0 ? '' : '…'}${part}${end === text.length ? '' : '…'}`;
  return { shown, before: shown.slice(0, place - start) };
}

/**
 * Renders a problem with the line it is about:
 *
 *     reviews.yaml:12:5: error: unknown field 'rout'; did you mean 'route'?
 *       12 |   - rout:
 *          |     ^
 *       at spec.http[0].rout (HEDDLE_UNKNOWN_FIELD)
 *
 * `source` is the text of the file that the problem names, where there is one. A line too long for `columns` is cut
 * around the place. One that may hold a secret is not shown: what is printed ends up in logs. Control characters are
 * shown escaped, as what files say must not reach the terminal as commands.
 */
export function renderProblem(
  problem: Problem,
  source?: string,
  columns = process.stderr.columns ?? withoutTerminalColumns,
): string {
  const style = (format: 'red' | 'yellow' | 'dim' | 'bold', text: string): string =>
    styleText(format, text, { stream: process.stderr });
  const color = problem.severity === 'error' ? 'red' : 'yellow';
  const place = [
    problem.file === '-' ? 'standard input' : visible(problem.file ?? ''),
    problem.line,
    problem.column,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(':');
  const head = `${place === '' ? '' : `${style('bold', `${place}:`)} `}${style(color, `${problem.severity}:`)}`;
  const lines = [`${head} ${visible(problem.message)}`];
  const sourceLines = source?.split(/\r?\n/) ?? [];
  const text = problem.line === undefined ? undefined : sourceLines[problem.line - 1];
  if (problem.line !== undefined && text !== undefined) {
    const isSecret = holdsSecret(sourceLines, problem.line - 1);
    const number = String(problem.line);
    const margin = `  ${number} | `.length;
    const { shown, before } = isSecret
      ? { shown: '(not shown: a secret may stand here)', before: '' }
      : excerpt(visible(text), visible(text.slice(0, (problem.column ?? 1) - 1)).length, columns - margin);
    const indent = before.replaceAll(/[^\t]/g, ' ');
    lines.push(`  ${style('dim', `${number} |`)} ${shown}`);
    if (!isSecret)
      lines.push(`  ${style('dim', `${' '.repeat(number.length)} |`)} ${indent}${style(color, '^')}`);
  }
  const path = problem.path === undefined || problem.path === '' ? '' : `at ${visible(problem.path)} `;
  lines.push(`  ${style('dim', `${path}(${problem.code})`)}`);
  if (problem.hint !== undefined)
    lines.push(...wrapText(`hint: ${visible(problem.hint)}`, 78).map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}
