// The kinds of things that `get` and `delete` know by name.
import { nearestName } from '@heddle/base';
// Not from the package as a whole, whose schemas and parsers take longer to load than most commands run.
import { findKind as findWrittenKind, kinds } from '@heddle/model/kinds';
import { usageError } from './cli-error.ts';

/** A kind that people write. */
export interface ConfigurationKind {
  readonly kind: string;
  readonly apiVersion: string;
  /** As in the API's paths: with the group where two kinds have one name. */
  readonly plural: string;
}

const stored = kinds.filter(({ isStored }) => isStored);

/** What `get` shows that nobody writes. */
export type Observed = 'services' | 'endpoints' | 'proxies';

const names: ReadonlyMap<string, Observed> = new Map<string, Observed>([
  ['services', 'services'],
  ['service', 'services'],
  ['svc', 'services'],
  ['endpoints', 'endpoints'],
  ['endpoint', 'endpoints'],
  ['ep', 'endpoints'],
  ['instances', 'endpoints'],
  ['proxies', 'proxies'],
  ['proxy', 'proxies'],
  ['px', 'proxies'],
]);

/** Finds a kind by its name, plural or short name, in any case; `virtualservices.networking.istio.io` works too. */
export function findKind(input: string): Observed | ConfigurationKind {
  const name = input.toLowerCase();
  const observed = names.get(name);
  if (observed !== undefined) return observed;
  const info = findWrittenKind(name);
  if (info?.isStored === true) {
    const isFirst = findWrittenKind(info.plural) === info;
    const plural = isFirst ? info.plural : `${info.plural}.${info.group}`;
    return { kind: info.kind, apiVersion: info.storageApiVersion, plural };
  }
  if (info !== undefined) {
    throw usageError(`${info.plural} are not stored: they are only read, to judge others by them`);
  }
  const plurals = stored.map(({ plural }) => plural);
  const nearest = nearestName(name, [...names.keys(), ...plurals]);
  throw usageError(
    `there is no kind '${input}'${nearest === undefined ? '' : `; did you mean '${nearest}'?`}`,
    `known: services, endpoints, proxies, ${plurals.slice(0, 4).join(', ')} and others: docs/configuration.md`,
  );
}
