// Hot path.
import { FieldId } from './field-name.ts';

const fieldIdCount = Math.max(...Object.values(FieldId)) + 1;

/** Which fields are left out, by `FieldId`: decided when the configuration changes, looked up per field. */
export type FieldFilter = Uint8Array;

/**
 * Fields that concern one hop only (RFC 9110 §7.6.1), plus those given. `Expect` and `Trailer` are written anew where
 * they go on.
 */
export function createFieldFilter(dropped: readonly number[]): FieldFilter {
  const filter = new Uint8Array(fieldIdCount);
  const hopByHop = [
    FieldId.connection,
    FieldId.keepAlive,
    FieldId.proxyConnection,
    FieldId.te,
    FieldId.upgrade,
    FieldId.expect,
    FieldId.trailer,
    FieldId.proxyAuthorization,
    FieldId.proxyAuthenticate,
    FieldId.http2Settings,
    FieldId.neverForwarded,
  ];
  for (const id of [...hopByHop, ...dropped]) filter[id] = 1;
  return filter;
}
