import { Badge } from '../components/badge.tsx';
import { DataTable, type Column } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { FilterBox } from '../components/filter-box.tsx';
import { HealthMark } from '../components/health-mark.tsx';
import { Loading } from '../components/loading.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { PageHeader } from '../components/page-header.tsx';
import { LatencySparkline, ThreadSparkline } from '../components/sparkline.tsx';
import { formatCount, formatLatency, formatRate, formatShare, NOTHING } from '../format/number.ts';
import { errorShare, HEALTH_RANK } from '../health/service-health.ts';
import { hrefOf } from '../router/page.ts';
import { location } from '../router/router.ts';
import { history, historyVersion, services } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';
import { figuresOf, type ServiceFigures } from './service-figures.ts';

/** How much of the past the sparklines of the list show. */
const SPARK_SECONDS = 60;

/** Every service with its traffic as it happens: the page one starts from. */
export function ServicesPage() {
  const answer = usePolled(services);
  const { filter } = location.value;
  if (answer === null) {
    return (
      <>
        <PageHeader title="Services" command="heddle get services -A" />
        <FailureNote failure={services.failure.value} />
        <Loading />
      </>
    );
  }
  const all = answer.services.map(figuresOf);
  const shown = all.filter(({ service }) =>
    matchesFilter(filter, [service.name, service.namespace, service.host, ...service.versions]),
  );
  return (
    <>
      <PageHeader title="Services" command="heddle get services -A" />
      <FailureNote failure={services.failure.value} />
      {all.length === 0 ? (
        <EmptyState
          title="No service has joined the mesh yet"
          commands={[
            'heddle run --service hello --port 8000 --expose 8080 -- python3 -m http.server {{port}}',
          ]}
        >
          Start one with its sidecar. It appears here as soon as it accepts connections.
        </EmptyState>
      ) : (
        <>
          <Cloth figures={all} />
          <div class="toolbar">
            <FilterBox label="Filter services" />
            <p class="toolbar-note">
              Requests and latency: last ten seconds. Errors, health and charts: last minute.
            </p>
          </div>
          {shown.length === 0 ? (
            <EmptyState title="No service matches the filter" />
          ) : (
            <DataTable
              caption="Services"
              columns={COLUMNS}
              rows={shown}
              keyOf={({ service }) => `${service.namespace}/${service.name}`}
              initialSort="service"
            />
          )}
        </>
      )}
    </>
  );
}

/** The mesh as a whole: its numbers, and the last five minutes as cloth. */
function Cloth({ figures }: { readonly figures: readonly ServiceFigures[] }) {
  void historyVersion.value;
  const total = history.total(300);
  const requests = figures.reduce((sum, figure) => sum + figure.requestsPerSecond, 0);
  const minuteRequests = figures.reduce((sum, { minute }) => sum + minute.requestsPerSecond, 0);
  const minuteErrors = figures.reduce((sum, { minute }) => sum + minute.errorsPerSecond, 0);
  const instances = figures.reduce((sum, figure) => sum + figure.service.instances, 0);
  const troubled = figures.filter(({ health }) => health === 'failing' || health === 'degraded').length;
  const share = errorShare(minuteRequests, minuteErrors);
  return (
    <section class="cloth" aria-label="The whole mesh">
      <dl class="figures">
        <div>
          <dt>Requests</dt>
          <dd data-figure="requests">{formatRate(requests)}</dd>
        </div>
        <div>
          <dt>Errors</dt>
          <dd class={share > 0 ? 'tone-bad' : ''}>{formatShare(share)}</dd>
        </div>
        <div>
          <dt>Services</dt>
          <dd>
            {figures.length}
            {troubled > 0 && <small class="tone-bad"> {troubled} in trouble</small>}
          </dd>
        </div>
        <div>
          <dt>Instances</dt>
          <dd>{instances}</dd>
        </div>
      </dl>
      <div class="cloth-threads">
        <ThreadSparkline
          requests={total.requests}
          errors={total.errors}
          label={`Requests to all services over the last five minutes; now ${formatRate(requests)}`}
        />
        <p class="cloth-scale" aria-hidden="true">
          <span>5 min ago</span>
          <span>now</span>
        </p>
      </div>
    </section>
  );
}

const COLUMNS: readonly Column<ServiceFigures>[] = [
  {
    id: 'service',
    title: 'Service',
    sortBy: ({ service }) => `${service.name}/${service.namespace}`,
    cell: ({ service, health }) => (
      <div class="service-name">
        <HealthMark health={health} />
        <div>
          <a
            class="strong"
            href={hrefOf({ name: 'service', namespace: service.namespace, service: service.name })}
          >
            {service.name}
          </a>
          <span class="sub">
            {service.namespace}
            {service.versions.map((version) => (
              <Badge key={version}>{version}</Badge>
            ))}
          </span>
        </div>
      </div>
    ),
  },
  {
    id: 'requests',
    title: 'Requests',
    sortBy: (figures) => figures.requestsPerSecond,
    cell: ({ service, requestsPerSecond, hasTraffic }) => {
      const window = history.window(service.namespace, service.name, SPARK_SECONDS);
      return (
        <div class="measure">
          <span class="number" data-figure={`rate ${service.namespace}/${service.name}`}>
            {hasTraffic ? formatRate(requestsPerSecond) : NOTHING}
          </span>
          <ThreadSparkline
            requests={window.requests}
            errors={window.errors}
            label={`Requests to ${service.name} over the last minute`}
          />
        </div>
      );
    },
  },
  {
    id: 'errors',
    title: 'Errors',
    align: 'end',
    sortBy: (figures) => figures.errorShare,
    cell: ({ errorShare: share, hasTraffic }) => (
      <span class={`number ${share >= 0.1 ? 'tone-bad' : share > 0 ? 'tone-warning' : ''}`}>
        {hasTraffic ? formatShare(share) : NOTHING}
      </span>
    ),
  },
  {
    id: 'latency',
    title: 'Latency p50 / p99',
    sortBy: (figures) => figures.p99Ms,
    cell: ({ service, p50Ms, p99Ms }) => {
      const window = history.window(service.namespace, service.name, SPARK_SECONDS);
      return (
        <div class="measure">
          <span class="number pair">
            <span>{formatLatency(p50Ms)}</span>
            <span class="soft">{formatLatency(p99Ms)}</span>
          </span>
          <LatencySparkline
            p50Ms={window.p50Ms}
            p99Ms={window.p99Ms}
            label={`Latency of ${service.name} over the last minute: median and 99th percentile`}
          />
        </div>
      );
    },
  },
  {
    id: 'instances',
    title: 'Instances',
    align: 'end',
    sortBy: ({ service }) => service.instances,
    cell: ({ service }) => (
      <a
        class={service.instances === 0 ? 'number tone-bad' : 'number'}
        href={hrefOf({ name: 'instances' }, service.name)}
        aria-label={`${formatCount(service.instances, 'instance')} of ${service.name}`}
      >
        {service.instances}
      </a>
    ),
  },
  {
    id: 'health',
    title: 'Health',
    sortBy: ({ health }) => HEALTH_RANK[health],
    cell: ({ health }) => <span class={`health-word ${health}`}>{health}</span>,
  },
];
