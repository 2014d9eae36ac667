import { formatShare } from '../format/number.ts';
import { asList, asRecord, asText } from '../mesh/field.ts';
import { summarizeRoutes, type RouteDestination, type RouteSummary } from '../mesh/route-summary.ts';
import type { ObjectWithStatus } from '../generated/api.ts';

/** What a VirtualService or DestinationRule does, in words and with its weights drawn. */
export function RouteList({ object }: { readonly object: ObjectWithStatus }) {
  if (object.kind === 'DestinationRule') return <SubsetList object={object} />;
  const routes = summarizeRoutes(object.spec);
  if (routes.length === 0) return null;
  return (
    <ol class="routes">
      {routes.map((route, index) => (
        <li key={index} class="route">
          <Conditions route={route} />
          <div class="route-target">
            {route.destinations.length > 0 && <Weights destinations={route.destinations} />}
            {route.actions.length > 0 && <p class="route-actions">{route.actions.join(', ')}</p>}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Conditions({ route }: { readonly route: RouteSummary }) {
  return (
    <div class="route-match">
      {route.matches.length === 0 ? (
        <span class="route-all">every {route.name === '' ? '' : `${route.name} `}request</span>
      ) : (
        route.matches.map((conditions, index) => (
          <p key={index}>
            {index > 0 && <span class="route-or">or </span>}
            {conditions.length === 0
              ? 'every request'
              : conditions.map((text) => <code key={text}>{text}</code>)}
          </p>
        ))
      )}
    </div>
  );
}

/** One bar in the proportions of the weights, as threads of the destinations' colours, and its legend. */
function Weights({ destinations }: { readonly destinations: readonly RouteDestination[] }) {
  let start = 0;
  return (
    <div class="weights">
      <svg class="weights-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        {destinations.map((destination, index) => {
          const x = start * 100;
          start += destination.share;
          return (
            <rect key={index} class={`dye-${index % 6}`} x={x} width={destination.share * 100} height="6" />
          );
        })}
      </svg>
      <ul>
        {destinations.map((destination, index) => (
          <li key={index}>
            <span class={`swatch dye-${index % 6}`} />
            <b>{formatShare(destination.share)}</b> {destination.host}
            {destination.subset !== '' && <span class="subset"> {destination.subset}</span>}
            {destination.port !== null && <span class="subset">:{destination.port}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function SubsetList({ object }: { readonly object: ObjectWithStatus }) {
  const subsets = asList(object.spec.subsets).map(asRecord);
  if (subsets.length === 0) return null;
  return (
    <ul class="subsets">
      {subsets.map((subset, index) => (
        <li key={index}>
          <b>{asText(subset.name)}</b>
          {Object.entries(asRecord(subset.labels)).map(([name, value]) => (
            <code key={name}>
              {name}={asText(value)}
            </code>
          ))}
        </li>
      ))}
    </ul>
  );
}
