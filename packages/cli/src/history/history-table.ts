import type { HistoryChange, HistoryEntry } from '@heddle/control-plane';
import { type Column, renderTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';
import { textColumns } from '../output/wrap.ts';

/** More objects of one change are counted, not named. */
const namedChanges = 3;

/** `DestinationRule default/reviews configured`: of several as many as fit, and of them the first in any case. */
function summary(changes: readonly HistoryChange[], available: number): string {
  for (let count = Math.min(namedChanges, changes.length); ; count--) {
    const named = changes
      .slice(0, count)
      .map(({ kind, namespace, name, change }) => `${kind} ${namespace}/${name} ${change}`);
    const more = changes.length - count;
    const text = more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
    if (text.length <= available || count <= 1) return text;
  }
}

/**
 * A line for each change. `available` is the terminal's width; where it is infinite, as there is none, names are whole
 * and no more of them than fit into the usual width.
 */
export function renderHistory(entries: readonly HistoryEntry[], nowMs: number, available: number): string {
  const leading: readonly Column<HistoryEntry>[] = [
    { title: 'REVISION', value: ({ revision }) => String(revision), align: 'right' },
    { title: 'AGE', value: ({ at }) => formatAge(nowMs - at) },
    { title: 'WHO', value: ({ author }) => author },
  ];
  const taken = leading
    .map(({ title, value }) => Math.max(title.length, ...entries.map((entry) => value(entry).length)) + 2)
    .reduce((sum, width) => sum + width, 0);
  const left = (Number.isFinite(available) ? available : textColumns) - taken;
  const changes: Column<HistoryEntry> = { title: 'CHANGES', value: (entry) => summary(entry.changes, left) };
  return renderTable([...leading, changes], entries, available);
}
