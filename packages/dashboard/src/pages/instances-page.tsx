import { EmptyState } from '../components/empty-state.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { FilterBox } from '../components/filter-box.tsx';
import { InstanceTable } from '../components/instance-table.tsx';
import { Loading } from '../components/loading.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { PageHeader } from '../components/page-header.tsx';
import { formatCount } from '../format/number.ts';
import { judgeProxyConfig } from '../health/proxy-config.ts';
import { joinInstances, type InstanceRow } from '../mesh/instance-rows.ts';
import { location } from '../router/router.ts';
import { endpoints, proxies } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';

/** Every instance and its sidecar: is it there, who is it, does it have its configuration. */
export function InstancesPage() {
  const published = usePolled(endpoints);
  const connected = usePolled(proxies);
  const { filter } = location.value;
  const rows =
    published === null || connected === null ? null : joinInstances(published.endpoints, connected.proxies);
  return (
    <>
      <PageHeader
        title="Instances"
        command="heddle get proxies -A"
        {...(rows === null || rows.length === 0 ? {} : { summary: summaryOf(rows) })}
      />
      <FailureNote failure={endpoints.failure.value ?? proxies.failure.value} />
      {rows === null ? <Loading /> : <Instances rows={rows} filter={filter} />}
    </>
  );
}

function Instances({ rows, filter }: { readonly rows: readonly InstanceRow[]; readonly filter: string }) {
  if (rows.length === 0) {
    return (
      <EmptyState
        title="No sidecar is connected"
        commands={[
          'heddle run --service hello --port 8000 -- python3 -m http.server {{port}}',
          'heddle token create',
        ]}
      >
        Each application runs beside its sidecar. The first command starts both on this machine; the second
        makes a token for another one.
      </EmptyState>
    );
  }
  const shown = rows.filter((row) =>
    matchesFilter(filter, [row.instance, row.service, row.namespace, row.version, row.identity]),
  );
  return (
    <>
      <div class="toolbar">
        <FilterBox label="Filter instances" />
      </div>
      {shown.length === 0 ? (
        <EmptyState title="No instance matches the filter" />
      ) : (
        <InstanceTable rows={shown} showService />
      )}
    </>
  );
}

function summaryOf(rows: readonly InstanceRow[]): string {
  const states = rows.map((row) => (row.proxy === null ? 'absent' : judgeProxyConfig(row.proxy)));
  const count = (wanted: string): number => states.filter((state) => state === wanted).length;
  const parts = [formatCount(rows.length, 'instance'), `${count('synced')} with their configuration`];
  if (count('pending') > 0) parts.push(`${count('pending')} waiting for it`);
  if (count('rejected') > 0) parts.push(`${count('rejected')} rejected some`);
  if (count('absent') > 0) parts.push(`${count('absent')} not connected`);
  return parts.join(' · ');
}
