import type { ObjectKey } from '../manifest/object.ts';
import type { DeclaredService } from './declared-service.ts';
import type { RouteRule } from './route-model.ts';
import type { Scoping } from './scoping.ts';
import type { PlacedPolicy } from './traffic-policy.ts';

/** One port of a service. */
export interface ServicePort {
  readonly number: number;
  /** `http` for now; the protocol a sidecar declared when it published an instance. */
  readonly protocol: string;
}

/** A service: a name that clients ask for, the same for all its instances. */
export interface MeshService {
  readonly namespace: string;
  readonly name: string;
  /** Fully qualified: `<name>.<namespace>.svc.<domain>`, or whatever a ServiceEntry calls it. */
  readonly host: string;
  /** Ascending by number, each number once. */
  readonly ports: readonly ServicePort[];
}

/** One instance of a service, as its sidecar published it. */
export interface Instance {
  /** Unique in the mesh. */
  readonly id: string;
  readonly namespace: string;
  readonly service: string;
  readonly servicePort: number;
  readonly protocol: string;
  /** Where peers reach the instance's sidecar. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  /** SPIFFE id the instance proved. */
  readonly identity: string;
}

/** A part of a service's instances: those that carry all of `labels`. */
export interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a request to one port of a host meets. `rules` is never empty; a request that none of them matches gets 404. */
export interface PortRoutes {
  readonly port: number;
  readonly protocol: string;
  readonly rules: readonly RouteRule[];
}

/** What clients of one namespace see of a host. Frozen; equal views of different namespaces are one object. */
export interface HostView {
  /** Empty where clients of the namespace don't know the host. */
  readonly ports: readonly PortRoutes[];
  /** Subsets of the DestinationRules that apply: one cluster each beside the one without subset. */
  readonly subsets: readonly Subset[];
  /** What objects say of the service, beside what its instances do; absent where they say nothing. */
  readonly declared?: DeclaredService;
  /** What DestinationRules say of ports and subsets; those that are not there have no policy. */
  readonly policies: readonly PlacedPolicy[];
  /** Labels of clients that decide which of the rules are for them. */
  readonly sourceLabelKeys: readonly string[];
  readonly virtualService: ObjectKey | null;
  readonly destinationRules: readonly ObjectKey[];
  /** HTTPRoutes and GRPCRoutes that say where requests go; absent where none does. */
  readonly gatewayRoutes?: readonly ObjectKey[];
}

/** A host that clients can ask for: a service, or a name or wildcard that only a VirtualService gives. */
export interface MeshHost {
  /** Full name, or a wildcard such as `*.example.org` for all names that are no host of their own. */
  readonly host: string;
  /** As its instances say, and who declares it; null for a host that only a VirtualService names. */
  readonly service: MeshService | null;
  /** The view of every client namespace that `views` doesn't name. */
  readonly shared: HostView;
  /** Views of client namespaces that differ. */
  readonly views: ReadonlyMap<string, HostView>;
}

/** The whole mesh at one revision. Immutable: a change makes a new one, which shares what didn't change. */
export interface MeshModel {
  readonly domain: string;
  readonly services: ReadonlyMap<string, MeshService>;
  readonly hosts: ReadonlyMap<string, MeshHost>;
  /** What proxies may reach of it. */
  readonly scoping: Scoping;
}
