import { TypeUrl } from '@heddle/xds';
import type { XdsTypeName } from '../api/types.ts';

const names: ReadonlyMap<string, XdsTypeName> = new Map([
  [TypeUrl.cluster, 'cds'],
  [TypeUrl.clusterLoadAssignment, 'eds'],
  [TypeUrl.listener, 'lds'],
  [TypeUrl.routeConfiguration, 'rds'],
  [TypeUrl.virtualHost, 'vhds'],
  [TypeUrl.secret, 'sds'],
]);

/** The usual short name of a type of resources; undefined for types that are not served. */
export function xdsTypeName(typeUrl: string): XdsTypeName | undefined {
  return names.get(typeUrl);
}
