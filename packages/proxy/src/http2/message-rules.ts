// Hot path.
// Which lists of fields are a request, a response or trailers (RFC 9113 §8.1, §8.3).
import { FieldId } from '../codec/field-name.ts';
import type { FieldList } from '../codec/field-list.ts';
import { FieldRule, malformedField, onceOnly, rulesOf } from './field-rules.ts';

/** Why a list is malformed. */
export const MessageError = {
  none: 0,
  /** A field that may not be there, whatever else is. */
  badField: 1,
  /** A pseudo-header behind other fields, or one of another kind of message. */
  misplacedPseudoHeader: 2,
  /** A pseudo-header, Host or Content-Length that is there twice. */
  repeated: 3,
  /** A pseudo-header is missing, or one too many for this method. */
  incomplete: 4,
  /** `:authority` and Host differ. */
  twoAuthorities: 5,
} as const;

/** Envoy's word for a `MessageError` (`%RESPONSE_CODE_DETAILS%`). */
export function messageErrorDetail(error: number): string {
  return error === MessageError.incomplete || error === MessageError.twoAuthorities
    ? 'http2.violation.of.messaging.rule'
    : 'http2.invalid.header.field';
}

const pseudoHeaders = onceOnly & ~(FieldRule.host | FieldRule.contentLength);
const target = FieldRule.scheme | FieldRule.path;
const anyAuthority = FieldRule.authority | FieldRule.host;

/** Bits that no field has: what is wrong with the list. */
const repeated = 1 << 28;
const misplaced = 1 << 29;

/**
 * Checks the head of a request (RFC 9113 §8.3.1, §8.5; RFC 8441). `allowsExtendedConnect`: we have announced it. Returns one
 * of `MessageError`.
 */
export function checkRequest(list: FieldList, allowsExtendedConnect: boolean): number {
  const seen = combined(list);
  const error = errorOf(seen, FieldRule.status);
  if (error !== MessageError.none) return error;
  if ((seen & FieldRule.method) === 0) return MessageError.incomplete;
  if ((seen & FieldRule.connect) !== 0) {
    if ((seen & FieldRule.authority) === 0) return MessageError.incomplete;
    // It has no body: a length would have the next server take part of the tunnel for one (RFC 9110 §9.3.6).
    if ((seen & FieldRule.contentLength) !== 0) return MessageError.badField;
    const wanted = (seen & FieldRule.protocol) === 0 ? 0 : target;
    if (wanted !== 0 && !allowsExtendedConnect) return MessageError.misplacedPseudoHeader;
    if ((seen & target) !== wanted) return MessageError.incomplete;
    if (wanted === 0 && !/:[0-9]{1,5}$/.test(valueOf(list, FieldId.authority)))
      return MessageError.incomplete;
  } else {
    if ((seen & target) !== target || (seen & FieldRule.protocol) !== 0) return MessageError.incomplete;
    // Who is asked has to be said: Envoy, and HTTP/1.1, know no request without it.
    if ((seen & anyAuthority) === 0) return MessageError.incomplete;
  }
  if ((seen & FieldRule.asterisk) !== 0 && (seen & FieldRule.options) === 0) return MessageError.incomplete;
  if ((seen & anyAuthority) === anyAuthority && !isOneAuthority(list)) return MessageError.twoAuthorities;
  return MessageError.none;
}

/** Checks the head of a response, interim ones included (RFC 9113 §8.3.2). Returns one of `MessageError`. */
export function checkResponse(list: FieldList): number {
  const seen = combined(list);
  const error = errorOf(seen, pseudoHeaders & ~FieldRule.status);
  if (error !== MessageError.none) return error;
  return (seen & FieldRule.status) === 0 ? MessageError.incomplete : MessageError.none;
}

/** Checks trailers (RFC 9113 §8.1). Returns one of `MessageError`. */
export function checkTrailers(list: FieldList): number {
  return errorOf(combined(list), pseudoHeaders);
}

/** The rules of all fields together, and what is wrong with their order. */
function combined(list: FieldList): number {
  const { fields, length } = list;
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const rules = rulesOf(fields[i]!);
    if ((rules & seen & onceOnly) !== 0) seen |= repeated;
    if ((rules & FieldRule.regular) === 0 && (seen & FieldRule.regular) !== 0) seen |= misplaced;
    seen |= rules;
  }
  return seen;
}

function errorOf(seen: number, forbidden: number): number {
  if ((seen & malformedField) !== 0) return MessageError.badField;
  if ((seen & (forbidden | misplaced)) !== 0) return MessageError.misplacedPseudoHeader;
  return (seen & repeated) !== 0 ? MessageError.repeated : MessageError.none;
}

/** A proxy that decided by the one and a server that went by the other would not speak of the same request. */
function isOneAuthority(list: FieldList): boolean {
  const authority = valueOf(list, FieldId.authority);
  const host = valueOf(list, FieldId.host);
  return authority === host || authority.toLowerCase() === host.toLowerCase();
}

function valueOf(list: FieldList, fieldId: number): string {
  for (let i = 0; i < list.length; i++) if (list.fields[i]!.fieldId === fieldId) return list.fields[i]!.value;
  return '';
}
