export type * from './api/types.ts';
export { ControlPlane, type ControlPlaneOptions } from './core/control-plane.ts';
export { createBackend, type BackendOptions, type IssuedRecord } from './core/api-backend.ts';
export type { ApiBackend } from './api/backend.ts';
export {
  createCertificateMethod,
  type CertificateIssuer,
  type CertificateServiceOptions,
} from './rpc/certificate-service.ts';
export { leaseMethod } from './rpc/instance-service.ts';
export { streamMetricsMethod } from './rpc/metrics-service.ts';
export { readSidecarNode, type SidecarNode } from './compile/node-metadata.ts';
export { MemoryConfigStore } from './store/memory-config-store.ts';
export type {
  Commit,
  CommitOutcome,
  ConfigStore,
  StoreChange,
  StoredObject,
  StoreSnapshot,
} from './store/config-store.ts';
export type { Instance, InstanceStore } from './instances/instance-store.ts';
export { MemoryInstanceStore } from './instances/memory-instance-store.ts';
export { MemoryServiceBindings, type ServiceBindings } from './store/service-bindings.ts';
export { defaultLeaseTimes, type LeaseTimes } from './instances/lease-manager.ts';
export {
  startControlPlane,
  type ControlPlaneAddresses,
  type DatastoreOptions,
  type OidcOptions,
  type RunningControlPlane,
  type StartOptions,
} from './start/start-lazily.ts';
