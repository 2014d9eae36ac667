// Where the data plane refuses what the suite's parser accepts, and why. Accepting what the data refuses is never one of
// these.

/** A reason for which a message that the data accepts is refused. */
export interface Http1Deviation {
  readonly reason: string;
  /** Whether this refusal (`<status> <detail>`) of this input is such a one. */
  readonly covers: (refusal: string, input: string) => boolean;
}

export const http1Deviations: readonly Http1Deviation[] = [
  {
    reason: 'RFC 9112 §3.2: a request of HTTP/1.1 has exactly one valid Host; the suite does not look at it',
    covers: (refusal) => /^400 (?:missing_host_header|http1\.invalid_authority)/.test(refusal),
  },
  {
    reason: 'zeros in front of a Content-Length are octal to some recipients',
    covers: (refusal, input) =>
      refusal.startsWith('400 http1.invalid_content_length') && /content-length:[ \t]*0\d/i.test(input),
  },
  {
    reason: 'PRI is the beginning of HTTP/2, never a request of HTTP/1.1 (RFC 9113 §3.4)',
    covers: (refusal, input) => refusal.startsWith('400 http1.codec_error') && input.startsWith('PRI '),
  },
  {
    reason: 'RFC 9112 §7.1.1: an extension of a chunk has a name, and no white space outside of quotes',
    covers: (refusal, input) =>
      refusal.startsWith('400 http1.codec_error') &&
      /\n[0-9a-f]+;(?:\r|[^\r]*(?:[ \t]|;;|;\r|=\r))/i.test(input),
  },
  {
    reason:
      'a version or protocol that is not HTTP/1.1 (ICE, RTSP, HTTP/0.9, HTTP/2.0, none) is not served; HTTP/1.0 where it is not accepted',
    covers: (refusal, input) =>
      /^(?:505|426)/.test(refusal) ||
      (refusal.startsWith('400 http1.codec_error') && !/^\S+ \S+ HTTP\/1\.[01]\r\n/.test(input.trimStart())),
  },
  {
    reason:
      'RFC 9112 §3.2: the target is a path, http:// with an authority, * with OPTIONS, or an authority with CONNECT; no fragment',
    covers: (refusal) => refusal.startsWith('400 http1.invalid_url'),
  },
  {
    reason:
      'RFC 9112 §6.1: a transfer coding other than chunked is not understood, so that its end is not known',
    covers: (refusal) => refusal.startsWith('501 http1.invalid_transfer_encoding'),
  },
  {
    reason: 'an upgrade or a tunnel that no configuration asks for is refused',
    covers: (refusal) => /^(?:403|404) /.test(refusal),
  },
  {
    reason:
      'a response that switches protocols without having been asked, or of no known version, is not passed on',
    covers: (refusal, input) => refusal.startsWith('502') && !/^HTTP\/1\.[01] [2-5]\d\d[ \r]/.test(input),
  },
  {
    reason:
      'RFC 9112 §6.3: a response whose Transfer-Encoding is not chunked alone has no end that all recipients agree on',
    covers: (refusal, input) => refusal.startsWith('502') && /\r\ntransfer-encoding:/i.test(input),
  },
];
