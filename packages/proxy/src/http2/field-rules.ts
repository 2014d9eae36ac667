// What HTTP/2 demands of a single field (RFC 9113 §8.2, §8.3), worked out once for each `Field` and kept with it: a message
// is checked by combining numbers.
//
// Stricter than Envoy, which lets these through: white space around a value (RFC 9113 §8.2.1), bytes above ASCII and `#` in
// `:path`, zeros in front of a length. What comes by HTTP/1 is held to the same, so that nothing is taken on one way that
// isn't on the other.
import { FieldId, type FieldName } from '../codec/field-name.ts';
import type { Field } from '../codec/field.ts';
import { isFieldValueCharacter, isTargetCharacter, isTokenCharacter } from '../codec/character-class.ts';
import { parseContentLength } from '../codec/content-length.ts';
import { validHost } from '../codec/valid-host.ts';

/** Bits of `Field.rules`. */
export const FieldRule = {
  /** Not a pseudo-header. */
  regular: 1 << 0,
  method: 1 << 1,
  scheme: 1 << 2,
  authority: 1 << 3,
  path: 1 << 4,
  protocol: 1 << 5,
  status: 1 << 6,
  host: 1 << 7,
  contentLength: 1 << 8,
  /** `:method` is CONNECT. */
  connect: 1 << 9,
  /** `:method` is OPTIONS. */
  options: 1 << 10,
  /** `:path` is `*`. */
  asterisk: 1 << 11,
  /** `:status` is 1xx. */
  interim: 1 << 12,
  /** The name holds `_` (Envoy's `headers_with_underscores_action`). */
  underscore: 1 << 13,
  /** `:path` has a fragment, and nothing else is wrong with it. */
  fragment: 1 << 14,
  /** No name of a field: empty, in capitals, no token, or a pseudo-header that nobody has defined. */
  badName: 1 << 20,
  /** A value that no field, or not this one, may have. */
  badValue: 1 << 21,
  /** It concerns one connection of HTTP/1 (RFC 9113 §8.2.2). */
  connectionSpecific: 1 << 22,
} as const;

/** Bits of which one is enough to make a message malformed. */
export const malformedField = FieldRule.badName | FieldRule.badValue | FieldRule.connectionSpecific;

/** Bits of what a message may have once only. */
export const onceOnly =
  FieldRule.method |
  FieldRule.scheme |
  FieldRule.authority |
  FieldRule.path |
  FieldRule.protocol |
  FieldRule.status |
  FieldRule.host |
  FieldRule.contentLength;

/** What HTTP/2 says of this field: bits of `FieldRule`, never 0. */
export function rulesOf(field: Field): number {
  if (field.rules === 0) field.rules = rulesOfName(field.key) | rulesOfValue(field);
  return field.rules;
}

function rulesOfName(name: FieldName): number {
  if (name.rules === 0) name.rules = examineName(name);
  return name.rules;
}

function examineName({ text, fieldId }: FieldName): number {
  switch (fieldId) {
    case FieldId.method:
      return FieldRule.method;
    case FieldId.scheme:
      return FieldRule.scheme;
    case FieldId.authority:
      return FieldRule.authority;
    case FieldId.path:
      return FieldRule.path;
    case FieldId.protocol:
      return FieldRule.protocol;
    case FieldId.status:
      return FieldRule.status;
    case FieldId.host:
      return FieldRule.regular | FieldRule.host;
    case FieldId.contentLength:
      return FieldRule.regular | FieldRule.contentLength;
    case FieldId.connection:
    case FieldId.keepAlive:
    case FieldId.proxyConnection:
    case FieldId.transferEncoding:
    case FieldId.upgrade:
      return FieldRule.regular | FieldRule.connectionSpecific;
    default: {
      const rules = FieldRule.regular | (text.includes('_') ? FieldRule.underscore : 0);
      return consistsOf(text, isTokenCharacter) && !/[A-Z]/.test(text) ? rules : rules | FieldRule.badName;
    }
  }
}

function rulesOfValue({ fieldId, value }: Field): number {
  switch (fieldId) {
    case FieldId.method: {
      if (value === 'CONNECT') return FieldRule.connect;
      if (value === 'OPTIONS') return FieldRule.options;
      return badUnless(consistsOf(value, isTokenCharacter));
    }
    case FieldId.scheme:
      return badUnless(/^[A-Za-z][A-Za-z0-9+.-]*$/.test(value));
    case FieldId.authority:
    case FieldId.host:
      return badUnless(validHost.test(value));
    case FieldId.path:
      if (value === '*') return FieldRule.asterisk;
      if (value.charCodeAt(0) !== 0x2f) return FieldRule.badValue;
      if (consistsOf(value, isTargetCharacter)) return 0;
      return consistsOf(value.replaceAll('#', ''), isTargetCharacter)
        ? FieldRule.fragment
        : FieldRule.badValue;
    case FieldId.protocol:
      return badUnless(consistsOf(value, isTokenCharacter));
    case FieldId.status: {
      if (!/^[1-9][0-9]{2}$/.test(value)) return FieldRule.badValue;
      // Another protocol can't be switched to (RFC 9113 §8.6).
      return value === '101' ? FieldRule.badValue : value.startsWith('1') ? FieldRule.interim : 0;
    }
    case FieldId.contentLength:
      return badUnless(parseContentLength(value) >= 0);
    case FieldId.te:
      return badUnless(value.toLowerCase() === 'trailers');
    default:
      return badUnless(value === '' || isFieldValue(value));
  }
}

function badUnless(isGood: boolean): number {
  return isGood ? 0 : FieldRule.badValue;
}

/** No control characters but tabs, and no white space at its ends (RFC 9113 §8.2.1). */
function isFieldValue(value: string): boolean {
  return (
    consistsOf(value, isFieldValueCharacter) &&
    !isSpace(value.charCodeAt(0)) &&
    !isSpace(value.charCodeAt(value.length - 1))
  );
}

function isSpace(character: number): boolean {
  return character === 0x20 || character === 0x09;
}

/** True where `text` holds something, and nothing but characters of `characterClass`: what is no byte is in none. */
function consistsOf(text: string, characterClass: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (characterClass[text.charCodeAt(i)] !== 1) return false;
  return text !== '';
}
