import type { Endpoint, EndpointPool } from './endpoint.ts';

/** An endpoint as hashes know it. */
export interface WeighedEndpoint {
  /** Its address, as Envoy writes it. */
  readonly key: string;
  /** Of the sum of all, which is 1. */
  readonly weight: number;
}

export function normalizedWeights(endpoints: readonly Endpoint<EndpointPool>[]): WeighedEndpoint[] {
  let sum = 0;
  for (const { weight } of endpoints) sum += weight;
  return endpoints.map(({ address, weight }) => ({ key: address, weight: weight / sum }));
}
