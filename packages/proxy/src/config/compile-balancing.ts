import {
  type Cluster,
  Cluster_LbPolicy as LbPolicy,
  Cluster_RingHashLbConfig_HashFunction as HashFunction,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { BalancingConfig } from '../cluster/choose-balancer.ts';
import type { RingSize } from '../cluster/ring-hash.ts';
import { type CompiledDiscovery, passthroughType } from './compile-discovery.ts';
import type { ProblemList } from './problem-list.ts';

/** Envoy's defaults. */
const defaultChoiceCount = 2;
const defaultPanicThresholdPercent = 50;
const defaultRingSize = 1024;
const maxRingSize = 8 * 1024 * 1024;
const defaultTableSize = 65_537;
const maxTableSize = 5_000_011;

/**
 * Compiles how a cluster chooses among its endpoints. Accepted without effect: `update_merge_window` (an update costs
 * little here) and `ignore_new_hosts_until_first_hc` (no endpoint waits for a health check).
 */
export function compileBalancing(
  cluster: Cluster,
  discovery: CompiledDiscovery,
  problems: ProblemList,
): BalancingConfig {
  const common = cluster.commonLbConfig;
  const panicThresholdPercent = common?.healthyPanicThreshold?.value ?? defaultPanicThresholdPercent;
  if (!(panicThresholdPercent >= 0 && panicThresholdPercent <= 100))
    problems.invalid('common_lb_config.healthy_panic_threshold', 'must be 0 to 100');
  if (common?.closeConnectionsOnHostSetChange === true)
    problems.unsupported('common_lb_config.close_connections_on_host_set_change');
  const policy = compilePolicy(cluster, discovery, problems);
  const options = cluster.lbConfig;
  if (options?.$case === 'originalDstLbConfig' && discovery.originalDestination === null)
    problems.invalid('original_dst_lb_config', 'goes with type ORIGINAL_DST only');
  const leastRequest = options?.$case === 'leastRequestLbConfig' ? options.value : undefined;
  const choiceCount = leastRequest?.choiceCount ?? defaultChoiceCount;
  if (choiceCount < 2) problems.invalid('least_request_lb_config.choice_count', 'must be 2 or more');
  return {
    policy,
    choiceCount,
    panicThresholdPercent,
    ringSize: compileRingSize(options, problems),
    tableSize: compileTableSize(options, problems),
  };
}

function compilePolicy(
  cluster: Cluster,
  { isPassthrough, originalDestination }: CompiledDiscovery,
  problems: ProblemList,
): BalancingConfig['policy'] {
  const { lbPolicy } = cluster;
  const name = Object.entries(LbPolicy).find(([, number]) => number === lbPolicy)?.[0] ?? String(lbPolicy);
  const isProvided = isPassthrough || originalDestination !== null;
  if (isProvided) {
    const type = isPassthrough ? passthroughType : 'type ORIGINAL_DST';
    if (lbPolicy !== LbPolicy.CLUSTER_PROVIDED)
      problems.invalid('lb_policy', `${name} does not go with ${type}`, 'use CLUSTER_PROVIDED');
    return 'round-robin';
  }
  switch (lbPolicy) {
    case LbPolicy.ROUND_ROBIN:
      return 'round-robin';
    case LbPolicy.LEAST_REQUEST:
      return 'least-request';
    case LbPolicy.RANDOM:
      return 'random';
    case LbPolicy.RING_HASH:
      return 'ring-hash';
    case LbPolicy.MAGLEV:
      return 'maglev';
    case LbPolicy.CLUSTER_PROVIDED:
      problems.invalid(
        'lb_policy',
        'CLUSTER_PROVIDED does not go with this type of cluster',
        'use ROUND_ROBIN',
      );
      return 'round-robin';
    default:
      problems.unsupported('lb_policy', name);
      return 'round-robin';
  }
}

function compileRingSize(options: Cluster['lbConfig'], problems: ProblemList): RingSize {
  if (options?.$case !== 'ringHashLbConfig') return { minimum: defaultRingSize, maximum: maxRingSize };
  const path = 'ring_hash_lb_config';
  const {
    minimumRingSize: minimum = defaultRingSize,
    maximumRingSize: maximum = maxRingSize,
    hashFunction,
  } = options.value;
  if (hashFunction !== HashFunction.XX_HASH) problems.unsupported(`${path}.hash_function`, 'MURMUR_HASH_2');
  if (minimum > maxRingSize) problems.invalid(`${path}.minimum_ring_size`, `must be ${maxRingSize} at most`);
  if (maximum > maxRingSize) problems.invalid(`${path}.maximum_ring_size`, `must be ${maxRingSize} at most`);
  if (minimum > maximum) problems.invalid(`${path}.minimum_ring_size`, 'must not exceed maximum_ring_size');
  return { minimum, maximum };
}

function compileTableSize(options: Cluster['lbConfig'], problems: ProblemList): number {
  const size =
    options?.$case === 'maglevLbConfig' ? (options.value.tableSize ?? defaultTableSize) : defaultTableSize;
  if (size > maxTableSize) problems.invalid('maglev_lb_config.table_size', `must be ${maxTableSize} at most`);
  else if (!isPrime(size)) problems.invalid('maglev_lb_config.table_size', 'must be a prime number');
  return size;
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}
