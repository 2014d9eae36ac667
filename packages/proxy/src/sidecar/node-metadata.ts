import { proxyVersion } from '../stack/proxy-version.ts';
import type { SidecarOptions } from './options.ts';

/** The part of the options that describes the workload; keys and tokens are not in it. */
export type WorkloadOptions = Omit<
  SidecarOptions,
  'joinAddress' | 'joinToken' | 'concurrency' | 'stateDirectory' | 'admin' | 'logLevel'
>;

/** What this proxy is, and what it can do that others in its place can't. */
const ownCapabilities: Readonly<Record<string, unknown>> = {
  HEDDLE_VERSION: proxyVersion,
  ENABLE_HBONE: true,
  VHDS: true,
};

/**
 * What a sidecar tells the control plane of itself in `node`: the control plane makes its listeners from it (as Istio's
 * does from a pod's labels and ports).
 */
export function nodeOf(
  options: WorkloadOptions,
  capabilities: Readonly<Record<string, unknown>> = ownCapabilities,
): {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Record<string, unknown>;
} {
  const { namespace, service, instance } = options;
  const metadata: Record<string, unknown> = {
    ...capabilities,
    NAMESPACE: namespace,
    SERVICE: service,
    SERVICE_ACCOUNT: options.serviceAccount,
    INSTANCE: instance,
    LABELS: { ...options.labels },
    SERVICE_PORT: options.servicePort,
    PROTOCOL: options.protocol,
    INBOUND: { ...options.inbound },
    APP_PORT: options.appPort,
    OUTBOUND_PROXY: { ...options.outboundProxy },
    UPSTREAMS: options.upstreams.map(({ host, port, bind }) => ({ host, port, bind: { ...bind } })),
  };
  if (options.expose !== null) metadata['EXPOSE'] = { ...options.expose };
  if (options.dnsCapture !== undefined) metadata['DNS_CAPTURE'] = { ...options.dnsCapture };
  const { interception } = options;
  if (interception !== undefined) {
    metadata['INTERCEPTION'] = {
      MODE: interception.mode,
      ADDRESS: interception.address,
      OUTBOUND_PORT: interception.outboundPort,
      INBOUND_PORT: interception.inboundPort,
      MARK: interception.mark,
    };
  }
  if (options.accessLog !== '') metadata['ACCESS_LOG'] = options.accessLog;
  return {
    id: `sidecar~${instance}~${service}.${namespace}~${namespace}.svc.cluster.local`,
    cluster: `${service}.${namespace}`,
    metadata,
  };
}
