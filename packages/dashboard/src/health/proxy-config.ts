import type { ProxySummary, XdsTypeName } from '../generated/api.ts';

/** `synced`: it has what it should have. `pending`: something is on its way. `rejected`: it refused something. */
export type ProxyConfigState = 'synced' | 'pending' | 'rejected';

/** The order in which xDS types are shown: the one in which they depend on each other. */
export const XDS_TYPES: readonly XdsTypeName[] = ['cds', 'eds', 'lds', 'rds', 'vhds', 'sds'];

/** How far a proxy is with its configuration over all types; a refusal wins over everything. */
export function judgeProxyConfig(proxy: ProxySummary): ProxyConfigState {
  if (proxy.rejected.length > 0) return 'rejected';
  const known = XDS_TYPES.map((type) => proxy.types[type]).filter((status) => status !== undefined);
  return known.length > 0 && known.every((status) => status.synced) ? 'synced' : 'pending';
}
