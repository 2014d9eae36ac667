/** Whether each word of the filter occurs in one of the texts, whatever the case. */
export function matchesFilter(filter: string, texts: readonly string[]): boolean {
  const hay = texts.join('\n').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
