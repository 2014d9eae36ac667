import { Badge } from '../components/badge.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { Loading } from '../components/loading.tsx';
import { ObjectState } from '../components/object-state.tsx';
import { ProblemList } from '../components/problem-list.tsx';
import { RouteList } from '../components/route-list.tsx';
import { YamlView } from '../components/yaml-view.tsx';
import type { ServiceSummary } from '../generated/api.ts';
import { relationOf, type Relation } from '../mesh/host.ts';
import { hrefOf } from '../router/page.ts';
import { destinationRules, virtualServices } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';
import { pageOfObject } from './object-address.ts';

const RELATION_WORDS: Readonly<Record<Relation, string>> = {
  governs: 'decides where its requests go',
  'leads-here': 'of another host, leads here',
};

/** The objects that say where a service's requests go, and those of other hosts that send requests to it. */
export function ServiceRules({ service }: { readonly service: ServiceSummary }) {
  const routes = usePolled(virtualServices);
  const rules = usePolled(destinationRules);
  if (routes === null || rules === null) return <Loading />;
  const related = [...routes.items, ...rules.items].flatMap((object) => {
    const relation = relationOf(object, service);
    return relation === null ? [] : [{ object, relation }];
  });
  return (
    <section>
      <h2>Rules</h2>
      {related.length === 0 ? (
        <EmptyState title="No rule concerns this service" commands={['heddle apply -f virtual-service.yaml']}>
          Its requests are spread evenly over all its instances.
        </EmptyState>
      ) : (
        related.map(({ object, relation }) => (
          <article
            class="panel rule"
            key={`${object.kind}/${object.metadata.namespace}/${object.metadata.name}`}
          >
            <div class="rule-head">
              <h3>
                {object.kind} <a href={hrefOf(pageOfObject(object))}>{object.metadata.name}</a>
              </h3>
              <ObjectState object={object} />
              {object.kind === 'VirtualService' && <Badge>{RELATION_WORDS[relation]}</Badge>}
            </div>
            <ProblemList problems={object.status.warnings} />
            <RouteList object={object} />
            <details>
              <summary>YAML</summary>
              <YamlView object={object} />
            </details>
          </article>
        ))
      )}
    </section>
  );
}
