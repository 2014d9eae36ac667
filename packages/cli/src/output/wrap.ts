/** What help texts and tables fit into: terminals are at least this wide. */
export const textColumns = 80;

/** Breaks a text into lines of at most `columns`, at spaces only. */
export function wrapText(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/**
 * Two columns: names on the left, their texts wrapped on the right. A name too wide for its column has its text on the
 * next line.
 */
export function twoColumns(
  rows: readonly (readonly [name: string, text: string])[],
  leftColumns: number,
  columns = textColumns,
): readonly string[] {
  const indent = ' '.repeat(leftColumns);
  return rows.flatMap(([name, text]) => {
    const wrapped = wrapText(text, columns - leftColumns);
    const rest = wrapped.slice(1).map((line) => indent + line);
    return name.length + 1 < leftColumns
      ? [name.padEnd(leftColumns) + wrapped[0]!, ...rest]
      : [name, ...wrapped.map((line) => indent + line)];
  });
}
