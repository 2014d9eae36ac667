// What a trailer may not say: how long the message is, where it goes, who sent it, how it is to be read
// (RFC 9110 §6.5.1). It would come after the decision.
import { FieldId } from './field-name.ts';
import type { FieldList } from './field-list.ts';
import type { Field } from './field.ts';

const forbidden: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'expires',
  'host',
  'http2-settings',
  'keep-alive',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'retry-after',
  'server',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'via',
  'www-authenticate',
  'x-request-id',
]);

/** True for a field that may not come behind a body. */
export function isForbiddenTrailer(field: Field): boolean {
  const { name } = field;
  return (
    forbidden.has(name) ||
    name.startsWith('x-forwarded-') ||
    name.startsWith('x-envoy-') ||
    // Read as `-` by CGI and WSGI, an `_` would make it pass for a name that is not allowed.
    field.fieldId === FieldId.neverForwarded
  );
}

/** Takes forbidden fields out of trailers. */
export function dropForbiddenTrailers(list: FieldList): void {
  let kept = 0;
  for (let i = 0; i < list.length; i++) {
    const field = list.fields[i]!;
    if (!isForbiddenTrailer(field)) list.fields[kept++] = field;
  }
  list.length = kept;
}
