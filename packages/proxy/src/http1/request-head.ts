// Hot path.
import { FieldId } from '../codec/field-name.ts';
import { parseContentLength } from '../codec/content-length.ts';
import { validHost } from '../codec/valid-host.ts';
import { FieldOffset, type HeadScanner, fieldStride } from './head-scanner.ts';
import type { FieldFilter } from '../codec/field-filter.ts';
import { BodyKind, type RequestHeadView } from '../codec/message-view.ts';
import { MessageHead, listContains } from './message-head.ts';
import type { HeadRules } from './server-settings.ts';

/** Why a complete head is still no request we take. Numbers continue those of `HeadError`. */
export const RequestError = {
  none: 0,
  badHost: -30,
  missingHost: -31,
  bothLengths: -32,
  badContentLength: -33,
  badTransferEncoding: -34,
  badTargetForm: -35,
  badExpectation: -36,
  protectedFieldNominated: -37,
  unknownMethod: -38,
  lowVersion: -51,
  badScheme: -39,
  bodyDisallowed: -50,
} as const;

const maxPort = 65_535;
const schemePrefix = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/** One request's head. One object per connection, filled anew for each request. */
export class RequestHead extends MessageHead implements RequestHeadView {
  method = '';
  /** Origin form: path and query as they came, `*` for OPTIONS. */
  path = '';
  /** The scanner takes no such target. */
  readonly hasFragment = false;
  /** Host as it is routed and forwarded: from the target where that is absolute, else from the Host field. */
  authority = '';
  lacksHost = false;
  /** `authority` comes from elsewhere than Host: an absolute target, that of CONNECT, the listener's default. */
  replacesHost = false;
  expectsContinue = false;
  /** `TE: trailers`: the client reads trailers. */
  acceptsTrailers = false;
  private hasUpgrade = false;

  /** Where the start line begins in `text`: behind empty lines. */
  private startLineStart = 0;
  /** The target is `path` as it stands, not an absolute URI or an authority. */
  private isPathTarget = false;
  private validatedHost = '';

  override clear(): void {
    super.clear();
    this.path = '';
    this.authority = '';
  }

  /** Fills the head from a finished scan. Returns `RequestError.none` or why it is refused. */
  parse(scanner: HeadScanner, buffer: Buffer, base: number, length: number, rules: HeadRules): number {
    if (scanner.minorVersion === 0 && !rules.acceptsHttp10) return RequestError.lowVersion;
    this.take(scanner, buffer, base, length);
    this.method = methodName(this.text, scanner.startLineStart, scanner.methodEnd);
    if (!rules.allowsCustomMethods && !knownMethods.has(this.method)) return RequestError.unknownMethod;
    this.expectsContinue = false;
    this.hasUpgrade = false;
    this.replacesHost = false;
    this.acceptsTrailers = false;
    this.startLineStart = scanner.startLineStart;
    this.isPathTarget = false;
    this.authority = '';
    const fieldsError = this.examineFields(rules);
    if (fieldsError !== RequestError.none) return fieldsError;
    return this.examineTarget(scanner.targetStart, scanner.targetEnd, rules);
  }

  get protocol(): 'HTTP/1.0' | 'HTTP/1.1' {
    return this.minorVersion === 0 ? 'HTTP/1.0' : 'HTTP/1.1';
  }

  /** An offer of `h2c` is declined by ignoring it (RFC 9110 §7.8). */
  get wantedUpgrade(): string {
    if (this.method === 'CONNECT') return 'connect';
    if (!this.hasUpgrade || !listContains(this.valueById(FieldId.connection), 'upgrade')) return '';
    const wanted = this.valueById(FieldId.upgrade).toLowerCase();
    return wanted === 'h2c' || wanted === 'connect' ? '' : wanted;
  }

  /** Where the filter drops `Host`, it is written from `authority` (RFC 9112 §3.2.2). */
  http1Lines(
    path: string,
    authority: string,
    filter: FieldFilter,
    replaced: readonly string[] | null,
  ): string {
    const rewritesHost = filter[FieldId.host] === 1;
    if (!rewritesHost && this.isPathTarget && this.minorVersion === 1 && path === this.path)
      return this.keptLines(this.startLineStart, filter, replaced);
    const host = rewritesHost ? `host: ${authority}\r\n` : '';
    const target = path === '' ? authority : path;
    return `${this.method} ${target} HTTP/1.1\r\n${host}${this.keptLines(this.fieldsStart, filter, replaced)}`;
  }

  private examineFields(rules: HeadRules): number {
    let hosts = 0;
    let lengthSeen = false;
    let encodingSeen = false;
    for (let index = 0; index < this.fieldCount; index++) {
      switch (this.fields[index * fieldStride + FieldOffset.id]) {
        case FieldId.other:
          break;
        case FieldId.host: {
          hosts++;
          this.authority = this.fieldValue(index);
          break;
        }
        case FieldId.contentLength: {
          const length = parseContentLength(this.fieldValue(index));
          if (length < 0 || lengthSeen) return RequestError.badContentLength;
          lengthSeen = true;
          this.contentLength = length;
          break;
        }
        case FieldId.transferEncoding:
          if (encodingSeen || !this.isChunkedCoding(index)) return RequestError.badTransferEncoding;
          encodingSeen = true;
          break;
        case FieldId.connection: {
          const error = this.examineConnection(this.fieldValue(index));
          if (error !== RequestError.none) return error;
          break;
        }
        case FieldId.upgrade:
          this.hasUpgrade = true;
          break;
        case FieldId.te:
          if (listContains(this.fieldValue(index), 'trailers')) this.acceptsTrailers = true;
          break;
        case FieldId.expect:
          if (this.fieldValue(index).toLowerCase() !== '100-continue') return RequestError.badExpectation;
          this.expectsContinue = this.minorVersion === 1;
          break;
        default:
          break;
      }
    }
    if (hosts > 1) return RequestError.badHost;
    // Whatever an absolute target says: without Host a request is none that is served (RFC 9112 §3.2).
    this.lacksHost = hosts === 0 && (this.minorVersion === 1 || rules.defaultHost === '');
    if (this.lacksHost) {
      if (rules.endsConnectionOnError) return RequestError.missingHost;
    } else if (hosts === 0) {
      this.authority = rules.defaultHost;
      this.replacesHost = true;
    }
    if (encodingSeen && lengthSeen && rules.allowsChunkedLength && this.minorVersion === 1) {
      this.ignoreLength();
      lengthSeen = false;
    }
    if (encodingSeen) {
      if (lengthSeen) return RequestError.bothLengths;
      if (this.minorVersion === 0) return RequestError.badTransferEncoding;
      this.bodyKind = BodyKind.chunked;
    } else if (lengthSeen && this.contentLength > 0) {
      this.bodyKind = BodyKind.length;
    }
    // Most requests of a connection name the same host: it is looked at once.
    if (this.authority !== this.validatedHost && this.authority !== '') {
      if (hosts === 1 && !validHost.test(this.authority)) return RequestError.badHost;
      this.validatedHost = copyOf(this.authority);
    }
    return RequestError.none;
  }

  private examineConnection(value: string): number {
    this.hasConnectionField = true;
    if (listContains(value, 'close')) this.closesConnection = true;
    else if (this.minorVersion === 0 && listContains(value, 'keep-alive')) this.closesConnection = false;
    for (const item of value.split(',')) {
      if (isProtectedField(item.trim().toLowerCase())) return RequestError.protectedFieldNominated;
    }
    return RequestError.none;
  }

  private examineTarget(start: number, end: number, rules: HeadRules): number {
    const first = this.text.charCodeAt(start);
    if (this.method === 'CONNECT') {
      const target = this.text.slice(start, end);
      const port = /:([0-9]{1,5})$/.exec(target)?.[1];
      if (!validHost.test(target) || port === undefined || Number(port) > maxPort)
        return RequestError.badTargetForm;
      // Behind its head a CONNECT request is the tunnel (RFC 9110 §9.3.6): a length would say where something else begins.
      if (this.bodyKind !== BodyKind.none) return RequestError.bodyDisallowed;
      this.path = '';
      this.authority = target;
      this.replacesHost = true;
      return RequestError.none;
    }
    if (first === 0x2f) {
      this.isPathTarget = true;
      this.path = this.text.slice(start, end);
      return RequestError.none;
    }
    if (first === 0x2a && end - start === 1) {
      this.path = '*';
      return this.method === 'OPTIONS' ? RequestError.none : RequestError.badTargetForm;
    }
    const target = this.text.slice(start, end);
    if (rules.allowsAbsoluteTarget) return this.examineAbsoluteTarget(target);
    this.path = target;
    return RequestError.none;
  }

  /** `http://authority/path`: the authority replaces Host (RFC 9112 §3.2.2), so that what is routed is what is forwarded. */
  private examineAbsoluteTarget(target: string): number {
    const scheme = schemePrefix.exec(target)?.[0].toLowerCase() ?? '';
    if (scheme === '') return RequestError.badTargetForm;
    // As in Envoy the scheme decides nothing: `https` in a plain request goes on plain.
    if (scheme !== 'http://' && scheme !== 'https://') return RequestError.badScheme;
    let authorityEnd = scheme.length;
    while (authorityEnd < target.length) {
      const character = target.charCodeAt(authorityEnd);
      if (character === 0x2f || character === 0x3f) break;
      authorityEnd++;
    }
    const authority = target.slice(scheme.length, authorityEnd);
    if (!validHost.test(authority)) return RequestError.badHost;
    const rest = target.slice(authorityEnd);
    this.path = rest === '' ? '/' : rest.startsWith('/') ? rest : `/${rest}`;
    this.authority = authority;
    this.replacesHost = true;
    return RequestError.none;
  }
}

/** Fields that `Connection` may not name: removing them would change where a request goes, how long it is or who sent it. */
function isProtectedField(name: string): boolean {
  return (
    name === 'host' ||
    name === 'content-length' ||
    name === 'transfer-encoding' ||
    name === 'authorization' ||
    name === 'cookie' ||
    name === 'x-request-id' ||
    name === 'traceparent' ||
    name.startsWith('x-forwarded-') ||
    name.startsWith('x-envoy-')
  );
}

/**
 * Methods that are passed on without `allow_custom_methods`: those that Envoy knows, and QUERY and M-SEARCH. A method that
 * nobody has defined is more often the rest of a body that was framed wrongly than a request.
 */
const knownMethods: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'],
  ...[
    'ACL',
    'BIND',
    'CHECKOUT',
    'COPY',
    'LINK',
    'LOCK',
    'MERGE',
    'MKACTIVITY',
    'MKCALENDAR',
    'MKCOL',
    'MOVE',
  ],
  ...[
    'MSEARCH',
    'M-SEARCH',
    'NOTIFY',
    'PROPFIND',
    'PROPPATCH',
    'PURGE',
    'REBIND',
    'REPORT',
    'SEARCH',
    'SOURCE',
  ],
  ...['SUBSCRIBE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE'],
]);

/** The method as a shared string for the common ones: no string is made for `GET`. */
function methodName(text: string, start: number, end: number): string {
  if (end - start === 3 && text.startsWith('GET', start)) return 'GET';
  if (end - start === 4 && text.startsWith('POST', start)) return 'POST';
  return text.slice(start, end);
}

/** The same text in memory of its own: what was cut out of another keeps the whole of that. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
