// Hot path.
import { FieldId } from '../codec/field-name.ts';
import { parseContentLength } from '../codec/content-length.ts';
import { FieldOffset, type HeadScanner, fieldStride } from './head-scanner.ts';
import { ResponseKind } from '../codec/client-stream.ts';
import type { FieldFilter } from '../codec/field-filter.ts';
import { BodyKind, type ResponseHeadView } from '../codec/message-view.ts';
import { MessageHead, listContains } from './message-head.ts';

/** Why a complete head is no response we pass on. */
export const ResponseError = {
  none: 0,
  bothLengths: -40,
  badContentLength: -41,
  badTransferEncoding: -42,
  /** 1xx and 204 have no body, and may not speak of one. */
  forbiddenLength: -43,
  /** `Connection` takes away what says where the body ends. */
  lengthNominated: -44,
} as const;

/** No shorter value of `Connection` can name one of the two fields. */
const nominatingLength = 'content-length'.length;

/** One response's head. One object per upstream connection, filled anew for each response. */
export class ResponseHead extends MessageHead implements ResponseHeadView {
  status = 0;
  hasServer = false;
  hasDate = false;

  get isWhole(): boolean {
    return this.bodyKind === BodyKind.none;
  }

  /** The status line keeps its reason as it came. */
  http1Lines(
    version: 'HTTP/1.0' | 'HTTP/1.1',
    filter: FieldFilter,
    replaced: readonly string[] | null,
  ): string {
    if (this.minorVersion === (version === 'HTTP/1.1' ? 1 : 0)) return this.keptLines(0, filter, replaced);
    const rest = this.text.slice(version.length, this.fieldsStart);
    return version + rest + this.keptLines(this.fieldsStart, filter, replaced);
  }

  /**
   * Fills the head from a finished scan; `asked` (a `ResponseKind`) because the answers to HEAD and, with 2xx, to CONNECT have no
   * body, whatever they say (RFC 9112 §6.3). `allowsChunkedLength`: of two lengths that of the chunks holds. Returns `ResponseError.none` or why it is refused.
   */
  parse(
    scanner: HeadScanner,
    buffer: Buffer,
    base: number,
    length: number,
    asked: number,
    allowsChunkedLength: boolean,
  ): number {
    this.take(scanner, buffer, base, length);
    this.status = scanner.status;
    this.hasServer = false;
    this.hasDate = false;
    let lengthSeen = false;
    let encodingSeen = false;
    for (let index = 0; index < this.fieldCount; index++) {
      switch (this.fields[index * fieldStride + FieldOffset.id]) {
        case FieldId.contentLength: {
          const value = parseContentLength(this.fieldValue(index));
          if (value < 0 || lengthSeen) return ResponseError.badContentLength;
          lengthSeen = true;
          this.contentLength = value;
          break;
        }
        case FieldId.transferEncoding:
          if (encodingSeen || !this.isChunkedCoding(index)) return ResponseError.badTransferEncoding;
          encodingSeen = true;
          break;
        case FieldId.connection: {
          this.hasConnectionField = true;
          const value = this.fieldValue(index);
          if (value.length >= nominatingLength && nominatesLength(value))
            return ResponseError.lengthNominated;
          if (listContains(value, 'close')) this.closesConnection = true;
          else if (this.minorVersion === 0 && listContains(value, 'keep-alive'))
            this.closesConnection = false;
          break;
        }
        case FieldId.server:
          this.hasServer = true;
          break;
        case FieldId.date:
          this.hasDate = true;
          break;
        default:
          break;
      }
    }
    if (encodingSeen && lengthSeen && allowsChunkedLength && this.minorVersion === 1) {
      this.ignoreLength();
      lengthSeen = false;
    }
    if (encodingSeen && (lengthSeen || this.minorVersion === 0)) return ResponseError.bothLengths;
    const status = this.status;
    // RFC 9110 §8.6, RFC 9112 §6.1. A length of 0, which does no harm, is often there; it doesn't go on.
    if ((lengthSeen || encodingSeen) && (status < 200 || status === 204)) {
      if (encodingSeen || this.contentLength !== 0) return ResponseError.forbiddenLength;
      this.dropLength();
    }
    const isBodiless =
      asked === ResponseKind.head || (asked === ResponseKind.connect && status >= 200 && status < 300);
    if (isBodiless || status < 200 || status === 204 || status === 304) this.bodyKind = BodyKind.none;
    else if (encodingSeen) this.bodyKind = BodyKind.chunked;
    else if (lengthSeen) this.bodyKind = this.contentLength === 0 ? BodyKind.none : BodyKind.length;
    else {
      this.bodyKind = BodyKind.untilEnd;
      this.closesConnection = true;
    }
    return ResponseError.none;
  }
}

/** Without the field the next recipient would take what follows for the body, or the body for what follows. */
function nominatesLength(connection: string): boolean {
  return listContains(connection, 'content-length') || listContains(connection, 'transfer-encoding');
}
