import { EmptyState } from '../components/empty-state.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { Loading } from '../components/loading.tsx';
import { Moment } from '../components/moment.tsx';
import { ObjectState } from '../components/object-state.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemList } from '../components/problem-list.tsx';
import { RouteList } from '../components/route-list.tsx';
import { YamlView } from '../components/yaml-view.tsx';
import { hrefOf, type ConfigurationPlural } from '../router/page.ts';
import { destinationRules, virtualServices } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';

interface Properties {
  readonly plural: ConfigurationPlural;
  readonly namespace: string;
  readonly object: string;
}

/** One object: what it does, what is wrong with it, its YAML. */
export function ObjectPage({ plural, namespace, object: name }: Properties) {
  const poller = plural === 'virtualservices' ? virtualServices : destinationRules;
  const answer = usePolled(poller);
  const command = `heddle get ${plural} ${name} -n ${namespace} -o yaml`;
  const above = (
    <>
      <a href={hrefOf({ name: 'configuration' })}>Configuration</a> / {namespace}
    </>
  );
  const object = answer?.items.find(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
  );
  if (object === undefined) {
    return (
      <>
        <PageHeader title={name} above={above} command={command} />
        <FailureNote failure={poller.failure.value} />
        {answer === null ? <Loading /> : <EmptyState title="There is no such object, or no longer" />}
      </>
    );
  }
  const { metadata, status } = object;
  return (
    <>
      <PageHeader
        title={name}
        above={above}
        command={command}
        summary={
          <>
            {object.kind} · <ObjectState object={object} /> · {status.proxies.acknowledged} of{' '}
            {status.proxies.total} proxies have it · generation {metadata.generation} · created{' '}
            <Moment atMs={Date.parse(metadata.creationTimestamp)} />
          </>
        }
      />
      <FailureNote failure={poller.failure.value} />
      <ProblemList problems={status.warnings} />
      <div class="object">
        <section class="panel">
          <h2>What it does</h2>
          <RouteList object={object} />
        </section>
        <section class="panel">
          <h2>YAML</h2>
          <YamlView object={object} />
        </section>
      </div>
    </>
  );
}
