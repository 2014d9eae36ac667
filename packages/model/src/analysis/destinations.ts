import type { VirtualService } from '../manifest/object.ts';
import type { Destination } from '../schema/virtual-service.ts';

/** A destination that a rule names. */
export interface NamedDestination {
  readonly destination: Destination;
  readonly path: string;
}

/**
 * Every destination that rules name. Nobody may have validated the object: routes that lead nowhere are passed over, and
 * what they lack is somebody else's to tell.
 */
export function destinationsOf({ spec }: VirtualService): NamedDestination[] {
  const single = (spec.http ?? []).flatMap(({ mirror }, rule) =>
    mirror === undefined ? [] : [{ destination: mirror, path: `spec.http[${rule}].mirror` }],
  );
  const several = (spec.http ?? []).flatMap(({ mirrors = [] }, rule) =>
    mirrors.map(({ destination }, index) => {
      return { destination, path: `spec.http[${rule}].mirrors[${index}].destination` };
    }),
  );
  const routes = (['http', 'tls', 'tcp'] as const).flatMap((kind) =>
    (spec[kind] ?? []).flatMap(({ route = [] }, rule) =>
      route.map(({ destination }, index) => {
        return { destination, path: `spec.${kind}[${rule}].route[${index}].destination` };
      }),
    ),
  );
  return [...routes, ...single, ...several].filter(
    ({ destination }: Partial<NamedDestination>) => typeof destination?.host === 'string',
  );
}
