// From Prometheus's names and labels to the dotted names that Envoy's users know. Metrics carry only the former: a second
// name per series would cost memory for something that is asked for a few times a day.
import type { LabelPairs } from '@heddle/telemetry';

/** How the families under one prefix are named. */
interface Scope {
  /** What the Prometheus name begins with. */
  readonly prefix: string;
  /** The dotted name's first part. */
  readonly root: string;
  /** The label whose value is the second part; absent where there is one of its kind. */
  readonly label?: string;
  /** Names of groups below it: `ssl_handshake` is `ssl.handshake`. */
  readonly groups: readonly string[];
  /** The label's value stands in front of the root, where it stands behind it elsewhere. */
  readonly isOwnerFirst?: boolean;
}

const tlsGroups = ['ssl'];

/** Longer prefixes before those that they begin with. */
const scopes: readonly Scope[] = [
  { prefix: 'envoy_cluster_manager_', root: 'cluster_manager', groups: ['cds'] },
  {
    prefix: 'envoy_cluster_',
    root: 'cluster',
    label: 'envoy_cluster_name',
    groups: [
      ...tlsGroups,
      'circuit_breakers_default',
      'circuit_breakers_high',
      'outlier_detection',
      'health_check',
      'external',
      'internal',
      'canary',
      'retry',
      'http1',
      'http2',
      'grpc_web',
      'grpc',
    ],
  },
  {
    prefix: 'envoy_http_',
    root: 'http',
    label: 'envoy_http_conn_manager_prefix',
    groups: ['rds', 'fault', 'rbac', 'cors', 'tracing', 'ext_authz', 'ratelimit', 'local_rate_limit'],
  },
  { prefix: 'envoy_http1_', root: 'http1', groups: [] },
  { prefix: 'envoy_http2_', root: 'http2', groups: [] },
  { prefix: 'envoy_listener_manager_', root: 'listener_manager', groups: ['lds'] },
  { prefix: 'envoy_listener_', root: 'listener', label: 'envoy_listener_address', groups: tlsGroups },
  { prefix: 'envoy_tcp_', root: 'tcp', label: 'envoy_tcp_prefix', groups: [] },
  { prefix: 'envoy_rbac_', root: 'rbac', label: 'envoy_rbac_prefix', groups: [], isOwnerFirst: true },
  {
    prefix: 'envoy_connection_limit_',
    root: 'connection_limit',
    label: 'envoy_connection_limit_prefix',
    groups: [],
  },
  { prefix: 'envoy_tls_inspector_', root: 'tls_inspector', groups: [] },
  { prefix: 'envoy_http_inspector_', root: 'http_inspector', groups: [] },
  { prefix: 'envoy_proxy_proto_', root: 'proxy_proto', groups: ['versions_v1', 'versions_v2'] },
  { prefix: 'envoy_dns_filter_', root: 'dns_filter', label: 'envoy_dns_filter_prefix', groups: [] },
  { prefix: 'envoy_dns_cache_', root: 'dns_cache', groups: [] },
  { prefix: 'envoy_access_logs_', root: 'access_logs', groups: ['file', 'grpc'] },
  { prefix: 'envoy_control_plane_', root: 'control_plane', groups: [] },
  { prefix: 'envoy_server_', root: 'server', groups: [] },
  { prefix: 'envoy_runtime_', root: 'runtime', groups: [] },
].toSorted((a, b) => b.prefix.length - a.prefix.length);

/** Labels whose values end a name: `…_rq` with `envoy_response_code="200"` is `…_rq_200`. */
const endings: Readonly<Record<string, (name: string, value: string) => string>> = {
  envoy_response_code: (name, value) => `${name}_${value}`,
  envoy_response_code_class: (name, value) => name.replace(/_xx$/, `_${value}xx`),
  envoy_ssl_version: (name, value) => `${name}.${value}`,
  envoy_ssl_cipher: (name, value) => `${name}.${value}`,
  envoy_ssl_curve: (name, value) => `${name}.${value}`,
  envoy_ssl_sigalg: (name, value) => `${name}.${value}`,
};

/**
 * Envoy's dotted name of a series, such as `cluster.reviews.upstream_rq_2xx`. What has no such name, because Envoy hasn't
 * got it, keeps its own, with its labels in braces.
 */
export function dottedName(family: string, labels: LabelPairs): string {
  const scope = scopes.find(({ prefix }) => family.startsWith(prefix));
  if (scope === undefined) return withLabels(family, labels);
  const rest = new Map(labels);
  let name = withGroups(family.slice(scope.prefix.length), scope.groups);
  // A listener's requests by connection manager: listener.<address>.http.<prefix>.…
  const manager = rest.get('envoy_http_conn_manager_prefix');
  if (scope.root === 'listener' && manager !== undefined && name.startsWith('http_')) {
    name = `http.${manager}.${name.slice('http_'.length)}`;
    rest.delete('envoy_http_conn_manager_prefix');
  }
  // A method's calls: cluster.<name>.grpc.<service>.<method>.…
  const [service, method] = [rest.get('envoy_grpc_bridge_service'), rest.get('envoy_grpc_bridge_method')];
  if (service !== undefined && method !== undefined) {
    name = name.replace(/^grpc(?:-web)?\./, (protocol) => `${protocol}${service}.${method}.`);
    rest.delete('envoy_grpc_bridge_service');
    rest.delete('envoy_grpc_bridge_method');
  }
  if (name.startsWith('rbac.')) name = withRbacParts(name, rest);
  const shadow = rest.get('envoy_rbac_shadow_prefix');
  if (shadow !== undefined) name = `${shadow}.${name}`;
  rest.delete('envoy_rbac_shadow_prefix');
  for (const [label, value] of labels) {
    const end = endings[label];
    if (end === undefined) continue;
    name = end(name, value);
    rest.delete(label);
  }
  const owner = scope.label === undefined ? undefined : rest.get(scope.label);
  if (scope.label !== undefined) rest.delete(scope.label);
  const start = scope.isOwnerFirst === true ? [owner, scope.root] : [scope.root, owner];
  return withLabels([...start, name].filter((part) => part !== undefined).join('.'), [...rest]);
}

/** An RBAC filter's prefix and a policy stand within the name: `rbac.<prefix>.policy.<policy>.allowed`. */
function withRbacParts(name: string, labels: Map<string, string>): string {
  const prefix = labels.get('envoy_rbac_http_prefix');
  const policy = labels.get('envoy_rbac_policy_name');
  labels.delete('envoy_rbac_http_prefix');
  labels.delete('envoy_rbac_policy_name');
  const counted = name.slice('rbac.'.length);
  const outcome = policy === undefined ? counted : `policy.${policy}.${counted.slice('policy_'.length)}`;
  return prefix === undefined ? `rbac.${outcome}` : `rbac.${prefix}.${outcome}`;
}

function withGroups(name: string, groups: readonly string[]): string {
  if (name === 'retry_or_shadow_abandoned') return name;
  const group = groups.find((candidate) => name.startsWith(`${candidate}_`));
  if (group === undefined) return name;
  const dotted = group.replace(/^(circuit_breakers|versions)_/, '$1.').replace('grpc_web', 'grpc-web');
  return `${dotted}.${name.slice(group.length + 1)}`;
}

function withLabels(name: string, labels: LabelPairs): string {
  if (labels.length === 0) return name;
  return `${name}{${labels.map(([label, value]) => `${label}=${value}`).join(',')}}`;
}
