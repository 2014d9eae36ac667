// Each rule of HTTP/1.1 switched off by a change to one line: the cases of tests/wire have to notice.

/** A change that takes one rule away. */
export interface SwitchedOffRule {
  readonly rule: number;
  /** Below packages/proxy/src/. */
  readonly file: string;
  /** What stands there, exactly once. */
  readonly from: string;
  readonly to: string;
}

export const switchedOffRules: readonly SwitchedOffRule[] = [
  {
    rule: 1,
    file: 'http1/request-head.ts',
    from: 'if (!rules.allowsCustomMethods && !knownMethods.has(this.method)) return RequestError.unknownMethod;',
    to: '',
  },
  {
    rule: 2,
    file: 'http1/head-scanner.ts',
    from: 'if (buffer[base + i] !== SP || i === this.targetStart) return HeadError.badTarget;',
    to: 'while (buffer[base + i + 1] === SP) i++;',
  },
  {
    rule: 3,
    file: 'codec/character-class.ts',
    from: 'for (let byte = 0x21; byte < 0x7f; byte++) if (byte !== 0x23)',
    to: 'for (let byte = 1; byte < 0x100; byte++) if (byte !== 0x0d && byte !== 0x20)',
  },
  {
    rule: 4,
    file: 'http1/head-scanner.ts',
    from: 'if (byte !== 0x30 && byte !== 0x31) return HeadError.unsupportedVersion;',
    to: '',
  },
  { rule: 5, file: 'http1/head-scanner.ts', from: 'this.emptyLines < 2', to: 'this.emptyLines < 200' },
  {
    rule: 6,
    file: 'http1/request-head.ts',
    from: 'this.authority = authority;\n    this.replacesHost = true;',
    to: '',
  },
  {
    rule: 6,
    file: 'http1/request-head.ts',
    from: "return this.method === 'OPTIONS' ? RequestError.none : RequestError.badTargetForm;",
    to: 'return RequestError.none;',
  },
  {
    rule: 7,
    file: 'http1/head-scanner.ts',
    from: 'if (end - at < 2 || buffer[at] !== CR || buffer[at + 1] !== LF) break;\n      let valueEnd = at;',
    to: `if (end - at < 2 || (buffer[at] !== LF && (buffer[at] !== CR || buffer[at + 1] !== LF))) break;
      let valueEnd = at;
      if (buffer[at] === LF) at--;`,
  },
  {
    rule: 8,
    file: 'http1/head-scanner.ts',
    from: 'if (byte < 0x20 || byte === 0x7f) break;',
    to: 'if (byte === CR || byte === LF) break;',
  },
  {
    rule: 9,
    file: 'http1/head-scanner.ts',
    from: 'if (buffer[base + i] !== colon || i === mark) {',
    to: 'while (buffer[base + i] === SP) i++;\n          if (buffer[base + i] !== colon || i === mark) {',
  },
  {
    rule: 10,
    file: 'http1/head-scanner.ts',
    from: 'if (byte === SP || byte === HTAB) return HeadError.lineFolding;',
    to: 'if (byte === SP || byte === HTAB) { i++; break; }',
  },
  {
    rule: 11,
    file: 'http1/head-scanner.ts',
    from: 'if (byte === SP || byte === HTAB) return HeadError.lineFolding;',
    to: 'if ((byte === SP || byte === HTAB) && this.fieldCount === 0) { i++; break; }',
  },
  { rule: 12, file: 'http1/head-scanner.ts', from: 'last--;', to: 'break;' },
  {
    rule: 13,
    file: 'http1/head-scanner.ts',
    from: 'if (this.fieldCount === this.maxFields) return HeadError.tooManyFields;',
    to: '',
  },
  {
    rule: 13,
    file: 'http1/head-scanner.ts',
    from: 'const limit = end > this.maxBytes ? this.maxBytes : end;',
    to: 'const limit = end;',
  },
  {
    rule: 14,
    file: 'http1/request-head.ts',
    from: 'if (lengthSeen) return RequestError.bothLengths;',
    to: '',
  },
  { rule: 15, file: 'http1/request-head.ts', from: 'if (length < 0 || lengthSeen)', to: 'if (length < 0)' },
  {
    rule: 15,
    file: 'codec/content-length.ts',
    from: 'if (digit < 0 || digit > 9) return -1;',
    to: 'if (digit < 0 || digit > 9) break;',
  },
  {
    rule: 16,
    file: 'http1/message-head.ts',
    from: "if (value.toLowerCase() !== 'chunked') return false;",
    to: "if (!value.toLowerCase().includes('chunked')) return false;",
  },
  {
    rule: 16,
    file: 'http1/request-head.ts',
    from: 'if (encodingSeen || !this.isChunkedCoding(index))',
    to: 'if (!this.isChunkedCoding(index))',
  },
  {
    rule: 17,
    file: 'http1/request-head.ts',
    from: 'if (this.minorVersion === 0) return RequestError.badTransferEncoding;',
    to: '',
  },
  {
    rule: 18,
    file: 'http1/chunk-scanner.ts',
    from: '} else if (this.digits === 0) return chunkError;',
    to: '} else if (this.digits === 0 && byte !== 0x2b) return chunkError;\n          else if (byte === 0x2b) this.digits = 0;',
  },
  {
    rule: 18,
    file: 'http1/chunk-scanner.ts',
    from: 'if (++this.digits > maxSizeDigits) return chunkError;',
    to: 'this.digits++;',
  },
  { rule: 18, file: 'http1/chunk-scanner.ts', from: '|| ++this.extensionBytes > maxExtensionBytes', to: '' },
  {
    rule: 18,
    file: 'http1/chunk-scanner.ts',
    from: 'case State.dataCarriageReturn:\n          if (byte !== CR) return chunkError;',
    to: 'case State.dataCarriageReturn:',
  },
  {
    rule: 19,
    file: 'http1/chunk-scanner.ts',
    from: 'if (++this.trailerBytes > maxTrailerBytes) return false;',
    to: '',
  },
  {
    rule: 19,
    file: 'http1/chunk-scanner.ts',
    from: 'else if (isTokenCharacter[byte] !== 1) return false;',
    to: '',
  },
  {
    rule: 20,
    file: 'http1/request-head.ts',
    from: '} else if (lengthSeen && this.contentLength > 0) {',
    to: "} else if (lengthSeen && this.contentLength > 0 && this.method === 'POST') {",
  },
  { rule: 21, file: 'http1/request-head.ts', from: 'if (hosts > 1) return RequestError.badHost;', to: '' },
  {
    rule: 21,
    file: 'http1/request-head.ts',
    from: 'if (hosts === 1 && !validHost.test(this.authority)) return RequestError.badHost;',
    to: '',
  },
  {
    rule: 22,
    file: 'http1/request-head.ts',
    from: 'this.authority = this.fieldValue(index);',
    to: 'this.authority = this.fieldValue(index);\n          this.text = this.text.replace(this.authority, this.authority.toUpperCase());',
  },
  {
    rule: 23,
    file: 'http1/request-head.ts',
    from: 'if (isProtectedField(item.trim().toLowerCase())) return RequestError.protectedFieldNominated;',
    to: '',
  },
  { rule: 23, file: 'codec/field-filter.ts', from: 'FieldId.keepAlive,', to: '' },
  { rule: 24, file: 'codec/field-filter.ts', from: 'FieldId.neverForwarded,', to: '' },
  {
    rule: 25,
    file: 'http1/request-head.ts',
    from: "if (this.fieldValue(index).toLowerCase() !== '100-continue') return RequestError.badExpectation;",
    to: '',
  },
  {
    rule: 26,
    file: 'http1/response-head.ts',
    from: 'if (isBodiless || status < 200 || status === 204 || status === 304) this.bodyKind',
    to: 'if (status < 200) this.bodyKind',
  },
  {
    rule: 27,
    file: 'http1/client-connection.ts',
    from: 'const maxInterimResponses = 16;',
    to: 'const maxInterimResponses = 1e9;',
  },
  {
    rule: 28,
    file: 'http1/response-head.ts',
    from: 'if (value < 0 || lengthSeen) return ResponseError.badContentLength;',
    to: '',
  },
  {
    rule: 28,
    file: 'http1/response-head.ts',
    from: 'if (encodingSeen && (lengthSeen || this.minorVersion === 0)) return ResponseError.bothLengths;',
    to: '',
  },
  {
    rule: 29,
    file: 'http1/response-head.ts',
    from: 'this.bodyKind = BodyKind.untilEnd;',
    to: 'this.bodyKind = BodyKind.none;',
  },
  { rule: 30, file: 'http1/client-connection.ts', from: '!bytesFollow &&', to: '' },
  {
    rule: 31,
    file: 'http1/client-connection.ts',
    from: 'return this.asked === ResponseKind.upgrade',
    to: 'return status === 101 || this.asked === ResponseKind.upgrade',
  },
  { rule: 32, file: 'http1/client-connection.ts', from: 'this.requestEnded &&', to: '' },
];
