// What a request that can't be understood is answered with.
import type { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { Rejection } from '../codec/server-stream.ts';
import { HeadError } from './head-scanner.ts';
import { RequestError } from './request-head.ts';

function malformed(status: number, detail: string): Rejection {
  return Object.freeze({ status, flag: 'DPE', detail });
}

export const Rejections = {
  headTimeout: { status: 408, flag: '-', detail: 'request_header_timeout' },
  requestTimeout: { status: 408, flag: '-', detail: 'request_overall_timeout' },
  underscore: malformed(400, 'http1.unexpected_underscore'),
  codecError: malformed(400, 'http1.codec_error'),
} as const satisfies Record<string, Rejection>;

const missingHost: Rejection = { status: 400, flag: '-', detail: 'missing_host_header' };
const byCode = new Map<number, Rejection>([
  [HeadError.tooLarge, malformed(431, 'http1.headers_too_large')],
  [HeadError.tooManyFields, malformed(431, 'http1.too_many_headers')],
  [HeadError.unsupportedVersion, malformed(505, 'http1.unsupported_version')],
  [HeadError.badTarget, malformed(400, 'http1.invalid_url')],
  [RequestError.lowVersion, malformed(426, 'low_version')],
  [RequestError.badTransferEncoding, malformed(501, 'http1.invalid_transfer_encoding')],
  [RequestError.bothLengths, malformed(400, 'http1.content_length_and_chunked_not_allowed')],
  [RequestError.badContentLength, malformed(400, 'http1.invalid_content_length')],
  [RequestError.missingHost, missingHost],
  [RequestError.badHost, malformed(400, 'http1.invalid_authority')],
  [RequestError.badTargetForm, malformed(400, 'http1.invalid_url')],
  [RequestError.badScheme, malformed(400, 'http1.invalid_scheme')],
  [RequestError.badExpectation, malformed(417, 'http1.unknown_expectation')],
  [RequestError.bodyDisallowed, malformed(400, 'http1.body_disallowed')],
  [RequestError.protectedFieldNominated, malformed(400, 'http1.connection_header_sanitization')],
]);

/** How the request that a `HeadError` or `RequestError` stands for is answered. */
export function rejectionOf(code: number): Rejection {
  return byCode.get(code) ?? Rejections.codecError;
}

const upgradeField = new Field('upgrade', 'HTTP/1.1');
const typeField = new Field('content-type', 'text/plain');

/** What a refused request is answered with. */
export interface RejectionResponse {
  readonly response: OutgoingResponse;
  readonly body: string;
}

/** The answer to a request that is refused, with `fields` besides its own; the connection closes behind it. */
export function rejectionResponse({ status, detail }: Rejection, fields: FieldList): RejectionResponse {
  const response = new OutgoingResponse();
  const body = `the request cannot be accepted: ${detail}`;
  response.status = status;
  if (status === 426) response.added.add(upgradeField);
  response.added.add(typeField);
  response.added.add(new Field('content-length', String(body.length)));
  for (let i = 0; i < fields.length; i++) response.added.add(fields.fields[i]!);
  return { response, body };
}
