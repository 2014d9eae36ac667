import type { BindAddress } from '@heddle/proxy';
import type { ForeignProxy } from '../agent/agent-options.ts';
import type { AdvertisedAddress } from '../flags.ts';

/** A dependency that the application names, `--upstream ratings:9080` or `--upstream ratings.prod:9080`. */
export interface Upstream {
  /** As the user typed it: the name of its template and, in capitals, of its environment variable. */
  readonly name: string;
  /** Fully qualified, such as `ratings.default.svc.cluster.local`. */
  readonly host: string;
  /** The service's port. */
  readonly port: number;
}

/** How programs are intercepted that know nothing of the sidecar. */
export interface WorkloadInterception {
  readonly mode: 'redirect' | 'tproxy';
  /** The rules are written for as long as the workload lives, or those of `heddle intercept apply` are used as they are. */
  readonly rules: 'write' | 'keep';
}

/** One application and the sidecar beside it: what `heddle run` was told. */
export interface WorkloadOptions {
  readonly service: string;
  /** The label `version`; empty for none. */
  readonly version: string;
  /** The service's port, the same for every instance; 0 for a workload that nobody calls. */
  readonly port: number;
  /** Where the application listens; null to choose a free port and tell it in `PORT`. */
  readonly appPort: number | null;
  /** What the application speaks: HTTP/1.1, HTTP/2 without TLS, or gRPC over that. */
  readonly protocol: 'http' | 'http2' | 'grpc' | 'grpc-web' | 'tcp';
  readonly namespace: string;
  /** Null for the service's name. */
  readonly serviceAccount: string | null;
  /** The user's own; `app` and `version` are added where they are missing. */
  readonly labels: Readonly<Record<string, string>>;
  readonly upstreams: readonly Upstream[];
  /** The plain HTTP listener for browsers; null for none. */
  readonly expose: BindAddress | null;
  /** What moves the application's traffic; with `grpc` it does so itself. */
  readonly proxy: 'heddle' | ForeignProxy;
  /** Envoy's program as the user named it; null to look for it. */
  readonly envoy: string | null;
  /** Leads what the application sends and gets through the sidecar; null where nothing is intercepted. */
  readonly intercept: WorkloadInterception | null;
  /** `host:port` of the control plane's join listener; null to find it in the store. */
  readonly join: string | null;
  /** The join token; null to find it in the store. Never printed. */
  readonly token: string | null;
  /** The store's directory, where the sidecar keeps its state. */
  readonly store: string;
  /** The port of the sidecar's mTLS listener; null to choose one. */
  readonly inboundPort: number | null;
  /** Where others reach the sidecar's mTLS listener, such as behind NAT or a mapped port; null to find out. */
  readonly advertise: AdvertisedAddress | null;
  /** A file, `/dev/stdout`, or empty for none. */
  readonly accessLog: string;
  /** How long the application may take to end after SIGTERM, in milliseconds. */
  readonly concurrency: number;
  readonly stopTimeoutMs: number;
  /** The program and its arguments, templates not replaced yet. */
  readonly command: readonly string[];
}

/** A workload that others can reach. */
export interface PublishedWorkload {
  readonly instance: string;
  /** SPIFFE id. */
  readonly identity: string;
  readonly appPort: number;
}

/** Where a supervisor's sentences and its application's output go. */
export interface WorkloadOutput {
  /** A sentence about the ordinary course of things. */
  info(message: string): void;
  /** Something the user should do something about; `hint` says what. */
  warning(message: string, hint?: string): void;
  /** `inherit` passes the terminal on untouched; otherwise the application's lines are handed over, without their ends. */
  readonly application: 'inherit' | ((line: string, stream: 'stdout' | 'stderr') => void);
  /** Called once, when the instance is first published. */
  onPublished?(workload: PublishedWorkload): void;
}

/** What `runWorkload` is given beside its options. */
export interface WorkloadContext {
  /** Asks for an orderly end: withdraw, drain, stop the application, stop the sidecar. */
  readonly signal: AbortSignal;
  /** Asks for an end at once: nothing is waited for. */
  readonly force?: AbortSignal;
  /** Where requests to replace the sidecar in place come from; returns what ends that. */
  onUpgradeRequest?(listener: () => void): () => void;
  readonly output: WorkloadOutput;
  /** The environment that the application inherits; default this process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** The sidecar's program; default the real one. */
  readonly sidecarEntry?: string;
}
