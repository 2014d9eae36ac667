// Hot path: `of` runs per call; series are made when a method is called for the first time.
import type { Labels, MetricScope } from '@heddle/telemetry';
import { methodName, methodPath } from './method-name.ts';
import { MethodMetrics } from './method-metrics.ts';

/** Which calls are counted by method, and how: `envoy.filters.http.grpc_stats` as configured. */
export interface GrpcStatsRules {
  /** `all`, or the methods that have series of their own, each as `/service/method`; the others share the cluster's. */
  readonly methods: 'all' | ReadonlySet<string>;
  /** `enable_upstream_stats`. */
  readonly timesUpstream: boolean;
  /** `replace_dots_in_grpc_service_name`. */
  readonly replacesDots: boolean;
}

/** What `envoy.filters.http.grpc_web` counts, whatever `grpc_stats` does. */
export const grpcWebStatsRules: GrpcStatsRules = {
  methods: 'all',
  timesUpstream: false,
  replacesDots: false,
};

/** Methods beyond this many share the series without a method: callers must not be able to fill the memory with names. */
const maxMethods = 500;

/**
 * The calls to one cluster: `cluster.<name>.grpc.<service>.<method>.total` and its like, or `grpc-web` for `grpc`. Other
 * than Envoy's, Prometheus's labels hold the service's whole name where that has dots.
 */
export class CallMetrics {
  private readonly scope: MetricScope;
  private readonly clusterLabels: Labels;
  private readonly prefix: string;
  private readonly methods = new Map<string, MethodMetrics>();
  private readonly withoutDots = new Map<string, MethodMetrics>();
  private shared: MethodMetrics | null = null;

  /** The series are in the scope's hands. */
  constructor(scope: MetricScope, clusterLabels: Labels, protocol: 'grpc' | 'grpc_web') {
    this.scope = scope;
    this.clusterLabels = clusterLabels;
    this.prefix = `envoy_cluster_${protocol}_`;
  }

  /** What counts a call of `path`, null for paths that name no method. */
  of(path: string, rules: GrpcStatsRules): MethodMetrics | null {
    const name = methodPath(path);
    if (name === '') return null;
    if (rules.methods !== 'all' && !rules.methods.has(name)) return this.ofOthers();
    const methods = rules.replacesDots ? this.withoutDots : this.methods;
    return methods.get(name) ?? this.add(methods, name, rules.replacesDots);
  }

  private add(methods: Map<string, MethodMetrics>, path: string, replacesDots: boolean): MethodMetrics {
    if (this.methods.size + this.withoutDots.size >= maxMethods) return this.ofOthers();
    const { service, method } = methodName(path);
    const metrics = new MethodMetrics(this.scope, this.prefix, {
      ...this.clusterLabels,
      envoy_grpc_bridge_service: replacesDots ? service.replaceAll('.', '_') : service,
      envoy_grpc_bridge_method: method,
    });
    methods.set(path, metrics);
    return metrics;
  }

  private ofOthers(): MethodMetrics {
    this.shared ??= new MethodMetrics(this.scope, this.prefix, this.clusterLabels);
    return this.shared;
  }
}
