// The kinds of things that `get` and `delete` know by name.
import { nearestName } from '@heddle/base';
import { usageError } from './cli-error.ts';

/** A kind that people write. */
export interface ConfigurationKind {
  readonly kind: string;
  readonly apiVersion: string;
  /** As in the API's paths. */
  readonly plural: string;
}

const virtualService: ConfigurationKind = {
  kind: 'VirtualService',
  apiVersion: 'networking.istio.io/v1',
  plural: 'virtualservices',
};
const destinationRule: ConfigurationKind = {
  kind: 'DestinationRule',
  apiVersion: 'networking.istio.io/v1',
  plural: 'destinationrules',
};

/** What `get` shows that nobody writes. */
export type Observed = 'services' | 'endpoints' | 'proxies';

const names: ReadonlyMap<string, Observed | ConfigurationKind> = new Map<
  string,
  Observed | ConfigurationKind
>([
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
  ['virtualservices', virtualService],
  ['virtualservice', virtualService],
  ['vs', virtualService],
  ['destinationrules', destinationRule],
  ['destinationrule', destinationRule],
  ['dr', destinationRule],
]);

/** Finds a kind by its name, plural or short name, in any case; `virtualservices.networking.istio.io` works too. */
export function findKind(input: string): Observed | ConfigurationKind {
  const name = input.toLowerCase().replace(/\.networking\.istio\.io$/, '');
  const found = names.get(name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, names.keys());
  throw usageError(
    `there is no kind '${input}'${nearest === undefined ? '' : `; did you mean '${nearest}'?`}`,
    'known: services, endpoints, proxies, virtualservices, destinationrules',
  );
}
