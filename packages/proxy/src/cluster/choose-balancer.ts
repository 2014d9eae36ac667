import { type Random, assertNever } from '@heddle/base';
import type { Endpoint, EndpointHealth, EndpointPool } from './endpoint.ts';
import { LeastRequest } from './least-request.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { PriorityBalancer, type PriorityShare } from './priority-balancer.ts';
import { type PriorityHealth, spreadLoad } from './priority-load.ts';
import { RandomChoice } from './random-choice.ts';
import { Maglev } from './maglev.ts';
import { RingHash, type RingSize } from './ring-hash.ts';
import { RoundRobin } from './round-robin.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** How a cluster chooses among its endpoints. */
export interface BalancingConfig {
  readonly policy: 'round-robin' | 'least-request' | 'random' | 'ring-hash' | 'maglev';
  /** Places on the ring of ring-hash. */
  readonly ringSize: RingSize;
  /** Places in maglev's table. */
  readonly tableSize: number;
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
  const loads = spreadLoad(byPriority.map(healthOf), overprovisioningPercent, config.panicThresholdPercent);
  const shares: PriorityShare<P>[] = [];
  let upTo = 0;
  const share = (load: number, picked: readonly Endpoint<P>[], isInPanic: boolean): void => {
    if (load === 0) return;
    upTo += load;
    shares.push({ balancer: balancerOf(picked, config, random), upTo, isInPanic });
  };
  for (const [index, list] of byPriority.entries()) {
    const { healthyLoad, isInPanic } = loads[index]!;
    share(healthyLoad, isInPanic ? list : withHealth(list, 'healthy'), isInPanic);
  }
  for (const [index, list] of byPriority.entries()) {
    const { degradedLoad, isInPanic } = loads[index]!;
    share(degradedLoad, isInPanic ? list : withHealth(list, 'degraded'), isInPanic);
  }
  const [only, second] = shares;
  if (second === undefined && only?.isInPanic === false) return only.balancer;
  return new PriorityBalancer(shares, panicPicks);
}

function healthOf(endpoints: readonly Endpoint<EndpointPool>[]): PriorityHealth {
  const count = (health: EndpointHealth): number => withHealth(endpoints, health).length;
  return {
    total: endpoints.length,
    healthy: count('healthy'),
    degraded: count('degraded'),
    draining: count('draining'),
  };
}

function withHealth<P extends EndpointPool>(
  endpoints: readonly Endpoint<P>[],
  health: EndpointHealth,
): Endpoint<P>[] {
  return endpoints.filter((endpoint) => endpoint.health === health);
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
    case 'ring-hash':
      return new RingHash(endpoints, config.ringSize);
    case 'maglev':
      return new Maglev(endpoints, config.tableSize);
    default:
      return assertNever(config.policy);
  }
}
