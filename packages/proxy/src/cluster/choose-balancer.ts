import { type Random, assertNever } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import { LeastRequest } from './least-request.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { PriorityBalancer } from './priority-balancer.ts';
import { spreadLoad } from './priority-load.ts';
import { RandomChoice } from './random-choice.ts';
import { RoundRobin } from './round-robin.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** How a cluster chooses among its endpoints. */
export interface BalancingConfig {
  readonly policy: 'round-robin' | 'least-request' | 'random';
  /** How many endpoints least-request looks at. */
  readonly choiceCount: number;
  /** With fewer healthy endpoints than this, in per cent, all are picked; 0 for never. */
  readonly panicThresholdPercent: number;
}

/** The balancer for a list of endpoints as they are now. */
export function chooseBalancer<P extends EndpointPool>(
  endpoints: Iterable<Endpoint<P>>,
  config: BalancingConfig,
  overprovisioningPercent: number,
  random: Random,
  panicPicks: { value: number },
): LoadBalancer<P> {
  const byPriority: Endpoint<P>[][] = [[]];
  for (const endpoint of endpoints) {
    while (byPriority.length <= endpoint.priority) byPriority.push([]);
    byPriority[endpoint.priority]!.push(endpoint);
  }
  const loads = spreadLoad(
    byPriority.map((list) => ({ total: list.length, healthy: list.filter(isHealthy).length })),
    overprovisioningPercent,
    config.panicThresholdPercent,
  );
  let upTo = 0;
  const shares = byPriority.map((list, index) => {
    const { load, isInPanic } = loads[index]!;
    upTo += load;
    return {
      balancer: balancerOf(isInPanic ? list : list.filter(isHealthy), config, random),
      upTo,
      isInPanic,
    };
  });
  const [only, second] = shares;
  if (second === undefined && only?.isInPanic === false) return only.balancer;
  return new PriorityBalancer(shares, panicPicks);
}

function isHealthy<P extends EndpointPool>(endpoint: Endpoint<P>): boolean {
  return endpoint.health === 'healthy';
}

function balancerOf<P extends EndpointPool>(
  endpoints: readonly Endpoint<P>[],
  config: BalancingConfig,
  random: Random,
): LoadBalancer<P> {
  switch (config.policy) {
    case 'round-robin': {
      const [first] = endpoints;
      const hasEqualWeights = endpoints.every((endpoint) => endpoint.weight === first?.weight);
      return hasEqualWeights ? new RoundRobin(endpoints, random) : new WeightedRoundRobin(endpoints, random);
    }
    case 'least-request':
      return new LeastRequest(endpoints, config.choiceCount);
    case 'random':
      return new RandomChoice(endpoints);
    default:
      return assertNever(config.policy);
  }
}
