export * from './analysis/finding.ts';
export * from './kinds/kinds.ts';
export * from './manifest/object.ts';
export * from './manifest/parse-manifests.ts';
export * from './manifest/to-manifest.ts';
export * from './manifest/to-yaml.ts';
export * from './mesh/model.ts';
export * from './mesh/route-model.ts';
export type * from './mesh/traffic-policy.ts';
export type * from './mesh/balancer-policy.ts';
export { defaultRule } from './mesh/compile-rules.ts';
export type { ObjectSource, Position } from './source/place.ts';
export type { ManifestFile } from './source/read-documents.ts';
export * from './mesh/host-name.ts';
export * from './mesh/mesh-compiler.ts';
export * from './mesh/declared-service.ts';
export * from './mesh/services.ts';
export * from './mesh/scoping.ts';
export { analyze, type AnalysisInput } from './analysis/analyze.ts';
export * from './analysis/analyze-files.ts';
export * from './security/policy-index.ts';
export * from './security/policy-scope.ts';
export * from './security/peer-mode.ts';
export type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationRule,
  AuthorizationSource,
} from './schema/authorization-policy.ts';
export { objectSchema, openApiOf } from './schema/export/object-schema.ts';
export { customResourceDefinition } from './schema/export/crd.ts';
export { GatewayWorld, isKubernetesGateway, type Condition, type Route } from './status/gateway-world.ts';
export { listenerStatuses, type ListenerStatus } from './status/listener-status.ts';
export { routeParents, type RouteParentStatus } from './status/route-parents.ts';
