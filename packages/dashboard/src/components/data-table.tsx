import { useSignal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { sortRows, type SortValue } from './sort-rows.ts';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** Makes the column sortable. */
  readonly sortBy?: (row: Row) => SortValue;
  readonly align?: 'end';
  readonly cell: (row: Row) => ComponentChildren;
}

/**
 * So many rows are drawn at first, and more on request: with a thousand, which change each second, the page would be
 * busy with nothing else.
 */
const PAGE_ROWS = 100;

interface Properties<Row> {
  /** What the table holds, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly initialSort: string;
  /** What stands under a row over the whole width; null for nothing. */
  readonly detail?: (row: Row) => VNode | null;
}

/**
 * A table that people can sort. Where it is narrow, each row becomes a card with its own labels; the roles are written
 * out because such a layout takes them from the elements.
 */
export function DataTable<Row>({ caption, columns, rows, keyOf, initialSort, detail }: Properties<Row>) {
  const limit = useSignal(PAGE_ROWS);
  const sort = useSignal({ column: initialSort, isDescending: false });
  const { column: sorted, isDescending } = sort.value;
  const sortBy = columns.find((column) => column.id === sorted)?.sortBy;
  const ordered = sortBy === undefined ? rows : sortRows(rows, sortBy, isDescending);
  const change = (id: string): void => {
    sort.value = { column: id, isDescending: sorted === id && !isDescending };
  };
  return (
    <div class="table-place">
      <table class="table" role="table" aria-label={caption}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                key={column.id}
                role="columnheader"
                scope="col"
                class={`col-${column.id} ${column.align ?? ''}`}
                {...(sorted === column.id ? { 'aria-sort': isDescending ? 'descending' : 'ascending' } : {})}
              >
                {column.sortBy === undefined ? (
                  column.title
                ) : (
                  <button
                    type="button"
                    class="sort"
                    onClick={() => {
                      change(column.id);
                    }}
                  >
                    {column.title}
                    <span class="sort-mark" aria-hidden="true">
                      {sorted === column.id ? (isDescending ? '↓' : '↑') : ''}
                    </span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {ordered.slice(0, limit.value).map((row) => (
            <TableRow
              key={keyOf(row)}
              row={row}
              columns={columns}
              under={detail === undefined ? null : detail(row)}
            />
          ))}
        </tbody>
      </table>
      {ordered.length > limit.value && (
        <p class="table-more">
          {limit.value} of {ordered.length} are shown.{' '}
          <button
            type="button"
            class="button"
            onClick={() => {
              limit.value += PAGE_ROWS;
            }}
          >
            Show more
          </button>
        </p>
      )}
    </div>
  );
}

function TableRow<Row>({
  row,
  columns,
  under,
}: {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly under: VNode | null;
}) {
  return (
    <>
      <tr role="row" class={under === null ? '' : 'has-detail'}>
        {columns.map((column) => (
          <td
            key={column.id}
            role="cell"
            class={`col-${column.id} ${column.align ?? ''}`}
            data-label={column.title}
          >
            {column.cell(row)}
          </td>
        ))}
      </tr>
      {under !== null && (
        <tr role="row" class="detail-row">
          <td role="cell" colSpan={columns.length}>
            {under}
          </td>
        </tr>
      )}
    </>
  );
}
