// What the processes of a measurement say to each other. Times are milliseconds of the machine's monotonic clock, which both read.

/** A certificate of the mesh and its key, for the simulated proxies of one namespace. */
export interface Credentials {
  readonly namespace: string;
  readonly id: string;
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** What a control plane that has been started says of itself. */
export interface ControlPlaneReady {
  readonly address: string;
  readonly bundlePem: string;
  readonly credentials: readonly Credentials[];
}

export type ChangeKind = 'endpoint' | 'route' | 'policy' | 'certificate';

/** A change, the time right before it was made, and the resource by which proxies learn of it. */
export interface Change {
  readonly kind: ChangeKind;
  readonly at: number;
  readonly typeUrl: string;
  /** Empty for any of the type. */
  readonly name: string;
}

/** CPU time and memory of a process since it started. */
export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

export type ControlPlaneQuestion =
  | { readonly ask: 'ready' }
  | { readonly ask: 'change'; readonly kind: ChangeKind }
  /** Changes one endpoint after the other, evenly; answered when the last one has been made. */
  | { readonly ask: 'churn'; readonly perSecond: number; readonly seconds: number }
  | { readonly ask: 'usage' };

/** How far the simulated proxies are. */
export interface LoadProgress {
  readonly ready: number;
  /** When the last of those that are ready became so. */
  readonly lastReadyAt: number;
  readonly reconnects: number;
  readonly responses: number;
  readonly bytes: number;
}

/** How long proxies took to get a change and acknowledge it, sorted, in milliseconds. */
export interface Latencies {
  /** Proxies that were complete when the change was made. */
  readonly expected: number;
  readonly ms: readonly number[];
}

export interface ConnectRequest {
  readonly ask: 'connect';
  readonly server: ControlPlaneReady;
  readonly proxies: number;
  /** Connections begin evenly within this time. */
  readonly withinMs: number;
  readonly services: number;
}

export type LoaderQuestion =
  | ConnectRequest
  | { readonly ask: 'progress' }
  | { readonly ask: 'latencies'; readonly change: Change; readonly timeoutMs: number }
  | { readonly ask: 'usage' };

/** Milliseconds of the machine's monotonic clock. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function usage(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: maxRSS * 1024,
  };
}
