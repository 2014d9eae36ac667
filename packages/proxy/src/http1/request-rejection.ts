// What a request that can't be understood is answered with.
import { HeadError } from './head-scanner.ts';
import { RequestError } from './request-head.ts';

/** The answer to a request that can't be understood. */
export interface Rejection {
  readonly status: number;
  /** What Envoy's users know from `%RESPONSE_CODE_DETAILS%`. */
  readonly detail: string;
}

/** How the request that a `HeadError` or `RequestError` stands for is answered. */
export function rejectionOf(code: number): Rejection {
  switch (code) {
    case HeadError.tooLarge:
      return { status: 431, detail: 'request_headers_too_large' };
    case HeadError.tooManyFields:
      return { status: 431, detail: 'http1.too_many_headers' };
    case HeadError.unsupportedVersion:
      return { status: 505, detail: 'http1.unsupported_version' };
    case RequestError.badTransferEncoding:
      return { status: 501, detail: 'http1.invalid_transfer_encoding' };
    case RequestError.bothLengths:
      return { status: 400, detail: 'http1.content_length_and_chunked_not_allowed' };
    case RequestError.badContentLength:
      return { status: 400, detail: 'http1.invalid_content_length' };
    case RequestError.missingHost:
      return { status: 400, detail: 'missing_host_header' };
    case RequestError.badHost:
      return { status: 400, detail: 'http1.invalid_authority' };
    case RequestError.badTargetForm:
    case HeadError.badTarget:
      return { status: 400, detail: 'http1.invalid_url' };
    case RequestError.badExpectation:
      return { status: 417, detail: 'http1.unknown_expectation' };
    case RequestError.protectedFieldNominated:
      return { status: 400, detail: 'http1.connection_header_sanitization' };
    default:
      return { status: 400, detail: 'http1.codec_error' };
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  417: 'Expectation Failed',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  505: 'HTTP Version Not Supported',
};

/** The whole response to a request that is refused; the connection closes behind it. */
export function rejectionResponse(status: number, detail: string): string {
  const upgrade = status === 426 ? 'upgrade: HTTP/1.1\r\n' : '';
  const body = `the request cannot be accepted: ${detail}`;
  return (
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\n${upgrade}connection: close\r\ncontent-type: text/plain\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`
  );
}
