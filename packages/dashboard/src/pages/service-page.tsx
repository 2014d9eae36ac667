import { Badge } from '../components/badge.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { HealthMark } from '../components/health-mark.tsx';
import { InstanceTable } from '../components/instance-table.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeader } from '../components/page-header.tsx';
import type { ServiceSummary } from '../generated/api.ts';
import { joinInstances } from '../mesh/instance-rows.ts';
import { hrefOf } from '../router/page.ts';
import { endpoints, proxies, services } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';
import { figuresOf, type ServiceFigures } from './service-figures.ts';
import { ServiceCharts } from './service-charts.tsx';
import { ServiceRules } from './service-rules.tsx';

/** One service: its traffic up to this second, its instances, the rules that concern it. */
export function ServicePage({
  namespace,
  service: name,
}: {
  readonly namespace: string;
  readonly service: string;
}) {
  const answer = usePolled(services);
  const command = `heddle get services ${name} -n ${namespace}`;
  const above = (
    <>
      <a href={hrefOf({ name: 'services' })}>Services</a> / {namespace}
    </>
  );
  const service = answer?.services.find((one) => one.namespace === namespace && one.name === name);
  if (service === undefined) {
    return (
      <>
        <PageHeader title={name} above={above} command={command} />
        <FailureNote failure={services.failure.value} />
        {answer === null ? (
          <Loading />
        ) : (
          <EmptyState
            title="No such service is in the mesh"
            commands={[`heddle run --service ${name} -n ${namespace} --port 8000 -- node app.js`]}
          >
            It may have ended. Start an instance of it with its sidecar:
          </EmptyState>
        )}
      </>
    );
  }
  const figures = figuresOf(service);
  return (
    <>
      <PageHeader
        title={
          <>
            <HealthMark health={figures.health} /> {name}
          </>
        }
        above={above}
        command={command}
        summary={<Summary figures={figures} />}
      />
      <FailureNote failure={services.failure.value} />
      <ServiceCharts service={service} />
      <ServiceInstances service={service} />
      <ServiceRules service={service} />
    </>
  );
}

function Summary({ figures }: { readonly figures: ServiceFigures }) {
  const { service, health } = figures;
  return (
    <>
      <span class={`health-word ${health}`}>{health}</span> · <span class="mono">{service.host}</span>
      {service.ports.map((port) => ` · ${port.number} ${port.protocol}`)}{' '}
      {service.versions.map((version) => (
        <Badge key={version}>{version}</Badge>
      ))}
    </>
  );
}

function ServiceInstances({ service }: { readonly service: ServiceSummary }) {
  const published = usePolled(endpoints);
  const connected = usePolled(proxies);
  if (published === null || connected === null) return <Loading />;
  const rows = joinInstances(published.endpoints, connected.proxies).filter(
    (row) => row.service === service.name && row.namespace === service.namespace,
  );
  return (
    <section>
      <h2>Instances</h2>
      {rows.length === 0 ? (
        <EmptyState
          title="No instance is published"
          commands={[
            `heddle run --service ${service.name} -n ${service.namespace} --port 8000 -- node app.js`,
          ]}
        >
          Requests to it fail until one is.
        </EmptyState>
      ) : (
        <InstanceTable rows={rows} showService={false} />
      )}
    </section>
  );
}
