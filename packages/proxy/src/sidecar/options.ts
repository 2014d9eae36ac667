/** Where a listener of the sidecar binds. */
export interface BindAddress {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

/** A loopback listener for one dependency, `--upstream ratings:9080`. */
export interface UpstreamListener {
  /** Fully qualified, such as `ratings.default.svc.cluster.local`. */
  readonly host: string;
  /** The service's port. */
  readonly port: number;
  readonly bind: BindAddress;
}

/** Listeners that the packet filter leads connections to. */
export interface InterceptionListeners {
  readonly mode: 'REDIRECT' | 'TPROXY';
  /** Where both bind: `::` for both families. */
  readonly address: string;
  readonly outboundPort: number;
  readonly inboundPort: number;
  /** TPROXY: the mark of packets in a caller's name. */
  readonly mark: number;
}

/**
 * What a supervisor tells a sidecar: the content of the JSON file whose path is its only argument. The file is readable
 * by the owner only, because of the join token. Everything else comes from the control plane by xDS.
 */
export interface SidecarOptions {
  /** Unique in the mesh and stable over restarts of this sidecar, such as `reviews-v1-4f9a2c`. */
  readonly instance: string;
  readonly namespace: string;
  readonly service: string;
  readonly serviceAccount: string;
  /** `app`, `version` and the user's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** The service's port, the same for every instance; 0 for a workload that nobody calls. */
  readonly servicePort: number;
  /** Where the application listens, on loopback. */
  readonly appPort: number;
  /** What it speaks: HTTP/1.1, HTTP/2 without TLS, or gRPC over that; `tcp`: nothing that the mesh looks into. */
  readonly protocol: 'http' | 'http2' | 'grpc' | 'grpc-web' | 'tcp';
  /** The mTLS listener for other sidecars. */
  readonly inbound: BindAddress;
  /** The address under which other sidecars reach `inbound`. */
  readonly advertiseAddress: string;
  /** The port there; where it is absent, that of `inbound`. */
  readonly advertisePort?: number;
  /** The listener that `HTTP_PROXY` names. */
  readonly outboundProxy: BindAddress;
  readonly upstreams: readonly UpstreamListener[];
  /** The plain listener for people's browsers, `--expose`. */
  readonly expose: BindAddress | null;
  /** Absent where nothing is intercepted. */
  readonly interception?: InterceptionListeners;
  /** Where DNS is answered for an application whose port 53 leads here; nowhere where it is absent. */
  readonly dnsCapture?: BindAddress;
  /** `/ready`, `/stats/prometheus`, …, on loopback. */
  readonly admin: BindAddress;
  /** Key, certificate, trust bundle and the last good configuration live here, readable by the owner only. */
  readonly stateDirectory: string;
  /** `host:port` of the control plane's join listener. */
  readonly joinAddress: string;
  /** The join token's text; empty where the state directory holds an identity already. Never logged. */
  readonly joinToken: string;
  /** A file, `/dev/stdout`, or empty for none. */
  readonly accessLog: string;
  /** Threads that move bytes. */
  readonly concurrency: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
