import { FieldId, fieldNames } from '../codec/field-name.ts';
import { type FieldFilter, createFieldFilter } from '../codec/field-filter.ts';
import { Field } from '../codec/field.ts';
import type { AddressRules } from './client-address.ts';
import type { ClientCertRules } from './forwarded-client-cert.ts';
import type { HostRules } from './host-normalization.ts';
import type { PathRules } from './path-normalization.ts';

/** What an HTTP connection manager does to requests before they are routed, as its configuration says. */
export interface RequestRuleOptions {
  /** The scheme of requests over this listener's connections. */
  readonly scheme: 'http' | 'https';
  readonly addresses: AddressRules;
  /** `skip_xff_append`. */
  readonly skipsForwardedFor: boolean;
  /** `append_x_forwarded_port`. */
  readonly addsForwardedPort: boolean;
  readonly generatesRequestId: boolean;
  /** `preserve_external_request_id`. */
  readonly preservesRequestId: boolean;
  /** `via`; empty for none. */
  readonly via: string;
  readonly clientCert: ClientCertRules;
  /** Null for paths and hosts as they come. */
  readonly path: PathRules | null;
  readonly host: HostRules | null;
  /** What stands in X-Forwarded-For for clients on this machine; empty for their loopback address. */
  readonly ownAddress: string;
}

/** Which fields of a request are left out, for one kind of client. */
export interface RequestFilters {
  /** For requests whose Host goes on as it came. */
  readonly asItCame: FieldFilter;
  /** For those whose Host is written anew. */
  readonly withNewHost: FieldFilter;
  /** Lower-case names that routes and logs must not see as the client sent them. */
  readonly hidden: ReadonlySet<string>;
}

/** `RequestRuleOptions` with everything worked out that doesn't depend on a request. */
export interface RequestRules extends RequestRuleOptions {
  readonly forExternal: RequestFilters;
  readonly forInternal: RequestFilters;
  readonly forEdge: RequestFilters;
  readonly appendsForwardedFor: boolean;
  /** `x-forwarded-proto` with the listener's own scheme. */
  readonly forwardedProtoField: Field;
}

/** Works out which fields each kind of client may send. */
export function compileRequestRules(options: RequestRuleOptions): RequestRules {
  const { addresses, clientCert } = options;
  const appendsForwardedFor = addresses.useRemoteAddress && !options.skipsForwardedFor;
  // Nobody before us is trusted: what they say of the scheme and port is not believed.
  const isFirst = addresses.useRemoteAddress && addresses.trustedHops === 0;
  const always: number[] = [
    FieldId.envoyInternal,
    FieldId.expectedRequestTimeout,
    FieldId.upstreamRequestTimeout,
    FieldId.routerInstruction,
    ...(clientCert.mode === 'always-forward-only' ? [] : [FieldId.forwardedClientCert]),
    ...(appendsForwardedFor ? [FieldId.forwardedFor] : []),
    ...(isFirst ? [FieldId.forwardedProto] : []),
    ...(isFirst && options.addsForwardedPort ? [FieldId.forwardedPort] : []),
    ...(options.via === '' ? [] : [FieldId.via]),
  ];
  const external = [...always, FieldId.internalOnly];
  const edge = [...external, FieldId.edgeOnly, FieldId.externalAddress];
  if (options.generatesRequestId) edge.push(FieldId.requestId);
  return {
    ...options,
    appendsForwardedFor,
    forwardedProtoField: new Field('x-forwarded-proto', options.scheme),
    forInternal: requestFilters(always),
    forExternal: requestFilters(external),
    forEdge: requestFilters(edge),
  };
}

function requestFilters(dropped: readonly number[]): RequestFilters {
  return {
    asItCame: createFieldFilter(dropped),
    withNewHost: createFieldFilter([...dropped, FieldId.host]),
    hidden: new Set(dropped.flatMap(fieldNames)),
  };
}
