import { Badge } from '../components/badge.tsx';
import { DataTable, type Column } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { FilterBox } from '../components/filter-box.tsx';
import { Loading } from '../components/loading.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { Moment } from '../components/moment.tsx';
import { ObjectState } from '../components/object-state.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { formatCount } from '../format/number.ts';
import type { ObjectWithStatus } from '../generated/api.ts';
import { hostsOf } from '../mesh/host.ts';
import { hrefOf } from '../router/page.ts';
import { location } from '../router/router.ts';
import { destinationRules, virtualServices } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';
import { pageOfObject } from './object-address.ts';

/** Everything that people have applied, and what has become of it. */
export function ConfigurationPage() {
  const routes = usePolled(virtualServices);
  const rules = usePolled(destinationRules);
  const { filter } = location.value;
  const objects = routes === null || rules === null ? null : [...routes.items, ...rules.items];
  const shown = objects?.filter((object) =>
    matchesFilter(filter, [object.kind, object.metadata.namespace, object.metadata.name, ...hostsOf(object)]),
  );
  return (
    <>
      <PageHeader
        title="Configuration"
        command="heddle get virtualservices -A"
        {...(objects === null || objects.length === 0 ? {} : { summary: summaryOf(objects) })}
      />
      <FailureNote failure={virtualServices.failure.value ?? destinationRules.failure.value} />
      {objects === null || shown === undefined ? (
        <Loading />
      ) : objects.length === 0 ? (
        <EmptyState title="Nothing has been applied yet" commands={['heddle apply -f virtual-service.yaml']}>
          Without rules, a request goes to any instance of the service it names. Istio’s VirtualService and
          DestinationRule change that.
        </EmptyState>
      ) : (
        <>
          <div class="toolbar">
            <FilterBox label="Filter configuration" />
          </div>
          {shown.length === 0 ? (
            <EmptyState title="No object matches the filter" />
          ) : (
            <DataTable
              caption="Configuration objects"
              columns={COLUMNS}
              rows={shown}
              keyOf={({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`}
              initialSort="name"
            />
          )}
        </>
      )}
    </>
  );
}

function summaryOf(objects: readonly ObjectWithStatus[]): string {
  const warned = objects.filter((object) => object.status.warnings.length > 0).length;
  const all = formatCount(objects.length, 'object');
  return warned === 0 ? all : `${all} · ${warned} with warnings`;
}

const COLUMNS: readonly Column<ObjectWithStatus>[] = [
  {
    id: 'name',
    title: 'Name',
    sortBy: (object) => `${object.metadata.name}/${object.metadata.namespace}`,
    cell: (object) => (
      <div>
        <a class="strong" href={hrefOf(pageOfObject(object))}>
          {object.metadata.name}
        </a>
        <span class="sub">{object.metadata.namespace}</span>
      </div>
    ),
  },
  { id: 'kind', title: 'Kind', sortBy: (object) => object.kind, cell: (object) => object.kind },
  {
    id: 'hosts',
    title: 'Hosts',
    cell: (object) => (
      <span class="chips">
        {hostsOf(object).map((host) => (
          <Badge key={host}>{host}</Badge>
        ))}
      </span>
    ),
  },
  {
    id: 'status',
    title: 'Status',
    sortBy: (object) => -object.status.warnings.length,
    cell: (object) => <ObjectState object={object} />,
  },
  {
    id: 'proxies',
    title: 'Proxies that have it',
    align: 'end',
    sortBy: (object) => object.status.proxies.acknowledged,
    cell: ({ status }) => (
      <span class={status.proxies.acknowledged < status.proxies.total ? 'number tone-warning' : 'number'}>
        {status.proxies.acknowledged} of {status.proxies.total}
      </span>
    ),
  },
  {
    id: 'created',
    title: 'Created',
    sortBy: (object) => Date.parse(object.metadata.creationTimestamp),
    cell: (object) => <Moment atMs={Date.parse(object.metadata.creationTimestamp)} />,
  },
];
