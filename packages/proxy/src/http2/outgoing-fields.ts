// Hot path: no string is made for what has been sent before, whatever protocol it came by.
// The fields of heads as HTTP/2 sends them.
import { ResponseKind } from '../codec/client-stream.ts';
import type { FieldFilter } from '../codec/field-filter.ts';
import { FieldId, type FieldName } from '../codec/field-name.ts';
import type { FieldList } from '../codec/field-list.ts';
import type { Field } from '../codec/field.ts';
import { fieldNameCache } from '../codec/name-cache.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import { sharedFields } from '../codec/shared-fields.ts';

/** What concerns a connection of HTTP/1 (RFC 9113 §8.2.2), and Host, which `:authority` stands for. */
const dropped = [
  FieldId.host,
  FieldId.connection,
  FieldId.keepAlive,
  FieldId.proxyConnection,
  FieldId.te,
  FieldId.transferEncoding,
  FieldId.upgrade,
  FieldId.http2Settings,
];

const isDropped = new Uint8Array(256);
for (const id of dropped) isDropped[id] = 1;

/** Filters of the configuration, each with what HTTP/2 drops besides. */
const filters = new WeakMap<FieldFilter, FieldFilter>();
let lastFilter: FieldFilter = new Uint8Array(0);
let lastResult: FieldFilter = lastFilter;

/** What `filter` leaves out, and what may not stand in a message of HTTP/2. */
export function http2Filter(filter: FieldFilter): FieldFilter {
  if (filter === lastFilter) return lastResult;
  let result = filters.get(filter);
  if (result === undefined) {
    result = new Uint8Array(filter);
    for (const id of dropped) result[id] = 1;
    filters.set(filter, result);
  }
  lastFilter = filter;
  lastResult = result;
  return result;
}

/** Adds those of `added` that may stand in a message of HTTP/2. Of `TE` only `trailers` may. */
export function addFields(added: FieldList, into: FieldList): void {
  const { fields, length } = added;
  for (let i = 0; i < length; i++) {
    const field = fields[i]!;
    if (isDropped[field.fieldId] === 0 || (field.fieldId === FieldId.te && field.value === 'trailers')) {
      into.add(field);
    }
  }
}

/** A pseudo-header, of which the last value is often the next one. */
class PseudoHeader {
  private readonly name: FieldName;
  private last: Field;

  constructor(name: string, value: string) {
    this.name = fieldNameCache.of(name);
    this.last = sharedFields.ofText(this.name, value, 0, value.length);
  }

  of(value: string): Field {
    if (value === this.last.value) return this.last;
    this.last = sharedFields.ofText(this.name, value, 0, value.length);
    return this.last;
  }
}

const method = new PseudoHeader(':method', 'GET');
const connect = new PseudoHeader(':method', 'CONNECT').of('CONNECT');
const scheme = new PseudoHeader(':scheme', 'http');
const authority = new PseudoHeader(':authority', '');
const path = new PseudoHeader(':path', '/');
const protocol = new PseudoHeader(':protocol', 'websocket');

/**
 * Adds the fields of a request to `into`. `asked` is a `ResponseKind`: an upgrade becomes an extended CONNECT (RFC 8441), and
 * what has CONNECT for its method has an authority only (RFC 9113 §8.5).
 */
export function addRequest(request: OutgoingRequest, asked: number, into: FieldList): void {
  const { head } = request;
  into.add(asked >= ResponseKind.upgrade ? connect : method.of(head.method));
  if (asked === ResponseKind.upgrade) into.add(protocol.of(request.upgrade));
  if (asked !== ResponseKind.connect) into.add(scheme.of(request.scheme));
  if (request.authority !== '') into.add(authority.of(request.authority));
  if (asked !== ResponseKind.connect) into.add(path.of(request.path));
  head.keptFields(http2Filter(request.filter), request.replaced, into);
  addFields(request.added, into);
  // What follows is no body.
  if (asked >= ResponseKind.upgrade) into.remove('content-length');
}
