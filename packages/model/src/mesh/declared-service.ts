// Services that objects declare: ServiceEntry, and Kubernetes' Service with its EndpointSlices.
import type { ObjectKey } from '../manifest/object.ts';
import type { ServicePort } from './model.ts';

/** Where connections to a declared service go. */
export type Resolution =
  /** Where the caller was going. */
  | 'NONE'
  /** To the endpoints, by their addresses. */
  | 'STATIC'
  /** To all addresses of the endpoints' names. */
  | 'DNS'
  /** To the address of the one name that is first at the moment. */
  | 'DNS_ROUND_ROBIN'
  /** To the address of the name that the request is for. */
  | 'DYNAMIC_DNS';

export interface DeclaredPort extends ServicePort {
  /** By which endpoints give it another number; '' for none. */
  readonly name: string;
  /** What endpoints listen on that give no number of their own. */
  readonly targetPort: number;
}

/** An endpoint that objects name. */
export interface DeclaredEndpoint {
  /** An address, a DNS name, or `unix://` and a path. */
  readonly address: string;
  /** Numbers by names of ports. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`; '' where nobody says. */
  readonly locality: string;
  /** Share of the load among the endpoints; 1 unless somebody says. */
  readonly weight: number;
  /** Whose certificate it shows; null for an endpoint that is spoken to in the clear. */
  readonly identity: { readonly namespace: string; readonly serviceAccount: string } | null;
}

/** Which workloads of the service's namespace are its endpoints: those that carry all of the labels. */
export type WorkloadLabels = Readonly<Record<string, string>>;

/** A service as one object declares it, or several of one namespace together. */
export interface DeclaredService {
  /** The first of the objects. */
  readonly object: ObjectKey;
  readonly namespace: string;
  /** Full name, or a wildcard. */
  readonly host: string;
  /** Ascending by number, each number once. */
  readonly ports: readonly DeclaredPort[];
  /** Not part of the mesh: no mTLS unless a DestinationRule says so. */
  readonly isExternal: boolean;
  readonly resolution: Resolution;
  /** Virtual addresses, and ranges of such. */
  readonly addresses: readonly string[];
  /** Own instances with these labels are endpoints too; null where nothing is selected. */
  readonly selector: WorkloadLabels | null;
  /** Those that objects name, selected WorkloadEntries included. */
  readonly endpoints: readonly DeclaredEndpoint[];
  /** Names of which certificates must show one, in the place of those of the endpoints' service accounts. */
  readonly subjectAltNames: readonly string[];
}

/** The port of an endpoint for a port of its service. */
export function endpointPort(endpoint: Pick<DeclaredEndpoint, 'ports'>, port: DeclaredPort): number {
  return endpoint.ports[port.name] ?? port.targetPort;
}

/** Whether labels hold all that a selector asks for; one that asks for nothing takes everything. */
export function isSelectedBy(selector: WorkloadLabels, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** `http` and the like for what Istio's and Kubernetes' kinds write; `tcp` for all whose bytes are nobody's business. */
export function portProtocol(written: string | undefined): string {
  switch ((written ?? '').toLowerCase()) {
    case 'http':
    case 'http_proxy':
      return 'http';
    case 'http2':
    case 'kubernetes.io/h2c':
      return 'http2';
    case 'grpc':
      return 'grpc';
    case 'grpc-web':
    case 'grpc_web':
      return 'grpc-web';
    case 'tls':
    case 'https':
      return 'tls';
    default:
      return 'tcp';
  }
}
