// Kinds that people's files hold and Heddle does not implement yet, by API group: refused by name, with the reason.

/** Kinds of Istio and of the Kubernetes Gateway API, by group. */
export const meshKinds: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'networking.istio.io',
    [
      'VirtualService',
      'DestinationRule',
      'Gateway',
      'ServiceEntry',
      'Sidecar',
      'WorkloadEntry',
      'WorkloadGroup',
      'EnvoyFilter',
      'ProxyConfig',
    ],
  ],
  ['security.istio.io', ['PeerAuthentication', 'RequestAuthentication', 'AuthorizationPolicy']],
  ['telemetry.istio.io', ['Telemetry']],
  ['extensions.istio.io', ['WasmPlugin', 'TrafficExtension']],
  [
    'gateway.networking.k8s.io',
    [
      'GatewayClass',
      'Gateway',
      'HTTPRoute',
      'GRPCRoute',
      'TLSRoute',
      'TCPRoute',
      'UDPRoute',
      'ReferenceGrant',
      'BackendTLSPolicy',
      'ListenerSet',
    ],
  ],
]);

/** Kinds of Kubernetes itself that often stand beside the mesh's, by group ('' is core). */
export const kubernetesKinds: ReadonlyMap<string, readonly string[]> = new Map([
  [
    '',
    [
      'Service',
      'ServiceAccount',
      'Pod',
      'Namespace',
      'ConfigMap',
      'Secret',
      'Endpoints',
      'PersistentVolume',
      'PersistentVolumeClaim',
      'ReplicationController',
    ],
  ],
  ['apps', ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']],
  ['batch', ['Job', 'CronJob']],
  ['autoscaling', ['HorizontalPodAutoscaler']],
  ['policy', ['PodDisruptionBudget', 'PodSecurityPolicy']],
  ['discovery.k8s.io', ['EndpointSlice']],
  ['networking.k8s.io', ['Ingress', 'IngressClass', 'NetworkPolicy']],
  ['rbac.authorization.k8s.io', ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']],
  ['apiextensions.k8s.io', ['CustomResourceDefinition']],
]);
