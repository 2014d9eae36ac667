/** Lines around a change that are shown with it. */
const contextLines = 3;
/** Above so many pairs of lines the middle is shown as replaced: comparing would take seconds. */
const maxPairs = 4_000_000;

/** `mark` is how the line stands in the output: ` ` in both, `-` before only, `+` after only. */
interface DiffLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** The longest common subsequence's way from `a` to `b`. */
function compare(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length * b.length > maxPairs) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i]! });
      i++;
      j++;
    } else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) lines.push(removed(a[i++]!));
    else lines.push(added(b[j++]!));
  }
  return [...lines, ...a.slice(i).map(removed), ...b.slice(j).map(added)];
}

function removed(text: string): DiffLine {
  return { mark: '-', text };
}

function added(text: string): DiffLine {
  return { mark: '+', text };
}

/**
 * What changed between two texts, line by line, as `diff -u` shows it without its head: `-` was, `+` is, with three
 * lines around; `…` where more than those are the same. Empty where nothing changed.
 */
export function lineDiff(before: string, after: string): readonly string[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const same = (text: string): DiffLine => ({ mark: ' ', text });
  const lines = [
    ...a.slice(0, start).map(same),
    ...compare(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
  const changed = lines.flatMap(({ mark }, index) => (mark === ' ' ? [] : [index]));
  const isNear = (index: number): boolean => changed.some((at) => Math.abs(at - index) <= contextLines);
  const shown: string[] = [];
  let isSkipping = false;
  for (const [index, { mark, text }] of lines.entries()) {
    if (isNear(index)) shown.push(mark === ' ' && text === '' ? '' : `${mark} ${text}`);
    else if (!isSkipping && changed.length > 0) shown.push('  …');
    isSkipping = !isNear(index);
  }
  return changed.length === 0 ? [] : shown;
}
