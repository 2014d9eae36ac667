// What a process says of itself, its listeners and its clusters as a whole, under Envoy's names.
import type { Clock } from '@heddle/base';
import type { Counter, Gauge, MetricRegistry } from '@heddle/telemetry';

/** Families that describe the process: worker threads don't have them, so they are not added up. */
const processPrefixes = ['envoy_server_', 'envoy_listener_manager_', 'envoy_cluster_manager_'];

/** True for families of which a process has one value, however many threads it has. */
export function isProcessMetric(family: string): boolean {
  return family !== gaugeNames.connections[0] && processPrefixes.some((prefix) => family.startsWith(prefix));
}

/** `server.state` as Envoy numbers it. */
export const ServerState = { live: 0, draining: 1, preInitializing: 2, initializing: 3 } as const;

/** What gauges are set from when somebody asks. */
export interface ServerReading {
  readonly state: number;
  readonly concurrency: number;
  readonly epoch: number;
  readonly listenersActive: number;
  readonly listenersDraining: number;
  readonly clustersActive: number;
  /** Of the certificate that expires first; null where there is none. */
  readonly daysUntilExpiry: number | null;
}

/** Names and texts of the gauges, in the order of their values. */
const gaugeNames = {
  serverLive: ['envoy_server_live', '1 while the proxy is not draining.'],
  serverState: ['envoy_server_state', '0 live, 1 draining, 2 before initialization, 3 initializing.'],
  uptime: ['envoy_server_uptime', 'Seconds since the start.'],
  concurrency: ['envoy_server_concurrency', 'Threads that move bytes.'],
  epoch: ['envoy_server_hot_restart_epoch', 'How often the process has been replaced without a pause.'],
  connections: ['envoy_server_total_connections', 'Open connections to listeners.'],
  memoryAllocated: ['envoy_server_memory_allocated', 'Bytes of heap in use.'],
  memoryHeapSize: ['envoy_server_memory_heap_size', 'Bytes of heap.'],
  memoryPhysicalSize: ['envoy_server_memory_physical_size', 'Resident bytes of the process.'],
  daysUntilExpiry: ['envoy_server_days_until_first_cert_expiring', 'Days until a certificate expires.'],
  listenersActive: ['envoy_listener_manager_total_listeners_active', 'Bound listeners.'],
  listenersDraining: ['envoy_listener_manager_total_listeners_draining', 'Filter chains that drain.'],
  workersStarted: ['envoy_listener_manager_workers_started', '1 once connections are accepted.'],
  clustersActive: ['envoy_cluster_manager_active_clusters', 'Clusters that have arrived.'],
} as const;

type GaugeName = keyof typeof gaugeNames;

export class ServerMetrics {
  readonly listenerAdded: Counter;
  readonly listenerModified: Counter;
  readonly listenerRemoved: Counter;
  readonly listenerStopped: Counter;
  readonly listenerCreateSuccess: Counter;
  readonly listenerCreateFailure: Counter;
  readonly clusterAdded: Counter;
  readonly clusterModified: Counter;
  readonly clusterRemoved: Counter;
  private readonly gauges: Readonly<Record<GaugeName, Gauge>>;
  private readonly clock: Clock;
  private readonly startMs: number;

  constructor(registry: MetricRegistry, clock: Clock) {
    this.clock = clock;
    this.startMs = clock.monotonic();
    const scope = registry.scope();
    const listener = (name: string, help: string): Counter =>
      scope.counter(`envoy_listener_manager_listener_${name}`, help);
    const cluster = (name: string, help: string): Counter =>
      scope.counter(`envoy_cluster_manager_cluster_${name}`, help);
    this.listenerAdded = listener('added', 'Listeners that came.');
    this.listenerModified = listener('modified', 'Listeners that changed.');
    this.listenerRemoved = listener('removed', 'Listeners that went.');
    this.listenerStopped = listener('stopped', 'Listeners that accept no more.');
    this.listenerCreateSuccess = listener('create_success', 'Listeners that were bound.');
    this.listenerCreateFailure = listener('create_failure', 'Listeners that could not be bound.');
    this.clusterAdded = cluster('added', 'Clusters that came.');
    this.clusterModified = cluster('modified', 'Clusters that changed.');
    this.clusterRemoved = cluster('removed', 'Clusters that went.');
    const gauge = (name: GaugeName): Gauge => scope.gauge(gaugeNames[name][0], gaugeNames[name][1]);
    this.gauges = Object.fromEntries(
      Object.keys(gaugeNames).map((name) => [name, gauge(name as GaugeName)]),
      // Every name of the table is there: they are its keys.
    ) as Record<GaugeName, Gauge>;
  }

  get uptimeSeconds(): number {
    return Math.floor((this.clock.monotonic() - this.startMs) / 1000);
  }

  /** Sets the gauge that is added up over threads. */
  set connections(open: number) {
    this.gauges.connections.value = open;
  }

  /** Sets the gauges: called when somebody asks, not when something changes. */
  update(reading: ServerReading): void {
    const { heapUsed, heapTotal, rss } = process.memoryUsage();
    const values: Readonly<Record<Exclude<GaugeName, 'connections'>, number>> = {
      serverLive: reading.state === ServerState.live ? 1 : 0,
      serverState: reading.state,
      uptime: this.uptimeSeconds,
      concurrency: reading.concurrency,
      epoch: reading.epoch,
      memoryAllocated: heapUsed,
      memoryHeapSize: heapTotal,
      memoryPhysicalSize: rss,
      daysUntilExpiry: reading.daysUntilExpiry ?? 0xffff_ffff,
      listenersActive: reading.listenersActive,
      listenersDraining: reading.listenersDraining,
      workersStarted: reading.listenersActive > 0 ? 1 : 0,
      clustersActive: reading.clustersActive,
    };
    // The names of a table's values are its keys.
    for (const name of Object.keys(values) as (keyof typeof values)[]) this.gauges[name].value = values[name];
  }
}
