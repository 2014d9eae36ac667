// The schema of each kind: the only place that joins the two.
import type { z } from 'zod';
import type { ObjectGroup, ObjectKind } from '../manifest/object.ts';
import { authorizationPolicySpec } from './authorization-policy.ts';
import { destinationRuleSpec } from './destination-rule.ts';
import { envoyFilterSpec } from './envoy-filter.ts';
import { gatewayClassSpec, kubernetesGatewaySpec, listenerSetSpec } from './gateway-api/gateway.ts';
import { httpRouteSpec } from './gateway-api/http-route.ts';
import { grpcRouteSpec, streamRouteSpec, tlsRouteSpec } from './gateway-api/other-routes.ts';
import { backendTlsPolicySpec, referenceGrantSpec } from './gateway-api/policies.ts';
import { gatewaySpec } from './gateway.ts';
import {
  anyBody,
  configMapBody,
  endpointSliceBody,
  secretBody,
  serviceSpec,
  workloadSpec,
} from './kubernetes/core.ts';
import { peerAuthenticationSpec } from './peer-authentication.ts';
import { proxyConfigSpec } from './proxy-config.ts';
import { requestAuthenticationSpec } from './request-authentication.ts';
import { serviceEntrySpec } from './service-entry.ts';
import { sidecarSpec } from './sidecar.ts';
import { telemetrySpec } from './telemetry.ts';
import { virtualServiceSpec } from './virtual-service.ts';
import { trafficExtensionSpec, wasmPluginSpec } from './wasm-plugin.ts';
import { workloadEntrySpec } from './workload-entry.ts';
import { workloadGroupSpec } from './workload-group.ts';

const schemas = {
  VirtualService: virtualServiceSpec,
  DestinationRule: destinationRuleSpec,
  Gateway: gatewaySpec,
  ServiceEntry: serviceEntrySpec,
  Sidecar: sidecarSpec,
  WorkloadEntry: workloadEntrySpec,
  WorkloadGroup: workloadGroupSpec,
  EnvoyFilter: envoyFilterSpec,
  ProxyConfig: proxyConfigSpec,
  PeerAuthentication: peerAuthenticationSpec,
  RequestAuthentication: requestAuthenticationSpec,
  AuthorizationPolicy: authorizationPolicySpec,
  Telemetry: telemetrySpec,
  WasmPlugin: wasmPluginSpec,
  TrafficExtension: trafficExtensionSpec,
  GatewayClass: gatewayClassSpec,
  ListenerSet: listenerSetSpec,
  HTTPRoute: httpRouteSpec,
  GRPCRoute: grpcRouteSpec,
  TLSRoute: tlsRouteSpec,
  TCPRoute: streamRouteSpec,
  UDPRoute: streamRouteSpec,
  ReferenceGrant: referenceGrantSpec,
  BackendTLSPolicy: backendTlsPolicySpec,
  Namespace: anyBody,
  Service: serviceSpec,
  EndpointSlice: endpointSliceBody,
  ServiceAccount: anyBody,
  ConfigMap: configMapBody,
  Secret: secretBody,
  Deployment: workloadSpec,
  StatefulSet: workloadSpec,
  DaemonSet: workloadSpec,
  ReplicaSet: workloadSpec,
  Job: workloadSpec,
  Pod: anyBody,
} satisfies Record<ObjectKind, z.ZodType>;

/** The schema of what an object of this kind says. */
export function schemaOf({
  kind,
  group,
}: {
  readonly kind: ObjectKind;
  readonly group: ObjectGroup;
}): z.ZodType {
  return kind === 'Gateway' && group === 'gateway.networking.k8s.io' ? kubernetesGatewaySpec : schemas[kind];
}
