/** What a sidecar says of itself in its xDS node. */
import { err, ok, type Result } from '@heddle/base';
import type { Node } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import { z } from 'zod';

const portNumber = z.int().min(0).max(65_535);
const bindSchema = z.object({ address: z.string().min(1), port: portNumber });

const interceptionSchema = z.object({
  MODE: z.enum(['REDIRECT', 'TPROXY']),
  /** Where both listeners bind: `::` for both families. */
  ADDRESS: z.string().min(1),
  OUTBOUND_PORT: portNumber,
  INBOUND_PORT: portNumber,
  MARK: z.int().min(0).max(0xffff_ffff).default(0),
});

const metadataSchema = z.object({
  NAMESPACE: z.string().min(1),
  SERVICE: z.string().default(''),
  SERVICE_ACCOUNT: z.string().default(''),
  INSTANCE: z.string().default(''),
  LABELS: z.record(z.string(), z.string()).default({}),
  SERVICE_PORT: portNumber.default(0),
  APP_PORT: portNumber.default(0),
  PROTOCOL: z.enum(['http', 'http2', 'grpc', 'grpc-web', 'tcp']).default('http'),
  /** As Istio's: by HTTP/2. Proxies that don't know it get, and make, TCP connections of their own. */
  ENABLE_HBONE: z.boolean().default(false),
  /** The large route configurations come by one virtual host at a time. */
  VHDS: z.boolean().default(false),
  INBOUND: bindSchema.optional(),
  OUTBOUND_PROXY: bindSchema.optional(),
  UPSTREAMS: z.array(z.object({ host: z.string().min(1), port: portNumber, bind: bindSchema })).default([]),
  EXPOSE: bindSchema.optional(),
  DNS_CAPTURE: bindSchema.optional(),
  ACCESS_LOG: z.string().default(''),
  INTERCEPTION: interceptionSchema.optional(),
  /** As Istio's: for whom resources are made, where the node's user agent does not say it. */
  GENERATOR: z.string().default(''),
});

export interface Bind {
  readonly address: string;
  readonly port: number;
}

/** A listener for one dependency. */
export interface UpstreamBind {
  /** Fully qualified. */
  readonly host: string;
  readonly port: number;
  readonly bind: Bind;
}

export type InterceptionMode = 'REDIRECT' | 'TPROXY';

/** Listeners that the packet filter leads connections to. */
export interface Interception {
  readonly mode: InterceptionMode;
  readonly outbound: Bind;
  readonly inbound: Bind;
  /** TPROXY: the mark of packets in a caller's name. */
  readonly mark: number;
}

/** Whose xDS client it is: what it understands follows from that. */
export type ClientKind = 'heddle' | 'envoy' | 'grpc';

/** A proxy, by its own account. What matters for security is compared with its certificate before it is believed. */
export interface SidecarNode {
  readonly client: ClientKind;
  readonly namespace: string;
  readonly service: string;
  readonly serviceAccount: string;
  readonly instance: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 0 for a workload that nobody calls. */
  readonly servicePort: number;
  readonly appPort: number;
  /** What the application speaks. */
  readonly protocol: 'http' | 'http2' | 'grpc' | 'grpc-web' | 'tcp';
  /** The proxy ends CONNECT, and makes tunnels by it. */
  readonly hasTunnels: boolean;
  /** Takes virtual hosts by themselves. */
  readonly hasVhds: boolean;
  readonly inbound: Bind | null;
  readonly outboundProxy: Bind | null;
  readonly upstreams: readonly UpstreamBind[];
  readonly expose: Bind | null;
  /** Where it answers DNS for its application; null for nowhere. */
  readonly dnsCapture: Bind | null;
  /** A file; empty for no access log. */
  readonly accessLog: string;
  readonly interception: Interception | null;
}

/** Results by node: a connected proxy is looked at with every question about proxies. */
const known = new WeakMap<Node, Result<SidecarNode, string>>();

/** Reads `node.metadata`. The error is one sentence. Listeners that are not named are not made. */
export function readSidecarNode(node: Node): Result<SidecarNode, string> {
  let result = known.get(node);
  if (result === undefined) {
    result = parseNode(node);
    known.set(node, result);
  }
  return result;
}

function parseNode(node: Node): Result<SidecarNode, string> {
  const parsed = metadataSchema.safeParse(node.metadata ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return err(`node.metadata.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
  }
  const metadata = parsed.data;
  return ok({
    client: clientKindOf(node.userAgentName, metadata.GENERATOR),
    namespace: metadata.NAMESPACE,
    service: metadata.SERVICE,
    serviceAccount: metadata.SERVICE_ACCOUNT,
    instance: metadata.INSTANCE,
    labels: metadata.LABELS,
    servicePort: metadata.SERVICE_PORT,
    appPort: metadata.APP_PORT,
    protocol: metadata.PROTOCOL,
    hasTunnels: metadata.ENABLE_HBONE,
    hasVhds: metadata.VHDS,
    inbound: metadata.INBOUND ?? null,
    outboundProxy: metadata.OUTBOUND_PROXY ?? null,
    upstreams: metadata.UPSTREAMS,
    expose: metadata.EXPOSE ?? null,
    dnsCapture: metadata.DNS_CAPTURE ?? null,
    accessLog: metadata.ACCESS_LOG,
    interception: readInterception(metadata.INTERCEPTION),
  });
}

/** gRPC's libraries call themselves `gRPC C-core`, `gRPC Node Pure JS` and so on. */
function clientKindOf(userAgent: string, generator: string): ClientKind {
  if (generator === 'grpc' || /^grpc\b/i.test(userAgent)) return 'grpc';
  return generator === 'envoy' || userAgent === 'envoy' ? 'envoy' : 'heddle';
}

function readInterception(metadata: z.infer<typeof interceptionSchema> | undefined): Interception | null {
  if (metadata === undefined) return null;
  const { MODE: mode, ADDRESS: address, MARK: mark } = metadata;
  return {
    mode,
    mark,
    outbound: { address, port: metadata.OUTBOUND_PORT },
    inbound: { address, port: metadata.INBOUND_PORT },
  };
}
