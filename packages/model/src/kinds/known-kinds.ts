// Kinds by their names alone, for those who mistype one, and those that files of meshes often hold beside the mesh's.
import { kinds } from './kinds.ts';

/** Kinds of Istio and of the Kubernetes Gateway API, by group. */
export const meshKinds: ReadonlyMap<string, readonly string[]> = new Map(
  Map.groupBy(
    kinds.filter(({ group }) => group.endsWith('istio.io') || group.startsWith('gateway.')),
    ({ group }) => group,
  )
    .entries()
    .map(([group, known]) => [group, known.map(({ kind }) => kind)]),
);

/** Kinds of Kubernetes itself, by group ('' is core): those that a mesh has nothing to do with are passed over. */
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
