// Hot path.
import { FieldId } from '../codec/field-name.ts';
import { FieldOffset, type HeadScanner, fieldStride } from './head-scanner.ts';
import { BodyKind, MessageHead, listContains, parseContentLength } from './message-head.ts';

/** Why a complete head is no response we pass on. */
export const ResponseError = {
  none: 0,
  bothLengths: -40,
  badContentLength: -41,
  badTransferEncoding: -42,
} as const;

/** What the request makes of its response. */
export const ResponseKind = { usual: 0, head: 1, upgrade: 2, connect: 3 } as const;

/** One response's head. One object per upstream connection, filled anew for each response. */
export class ResponseHead extends MessageHead {
  status = 0;
  hasServer = false;
  hasDate = false;

  /**
   * Fills the head from a finished scan; `asked` (a `ResponseKind`) because the answers to HEAD and, with 2xx, to CONNECT have no
   * body, whatever they say (RFC 9112 §6.3). Returns `ResponseError.none` or why it is refused.
   */
  parse(scanner: HeadScanner, buffer: Buffer, base: number, length: number, asked: number): number {
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
    if (encodingSeen && (lengthSeen || this.minorVersion === 0)) return ResponseError.bothLengths;
    const status = this.status;
    const isBodiless =
      asked === ResponseKind.head || (asked === ResponseKind.connect && status >= 200 && status < 300);
    if (isBodiless || status < 200 || status === 204 || status === 304) this.bodyKind = BodyKind.none;
    else if (encodingSeen) this.bodyKind = BodyKind.chunked;
    else if (lengthSeen) this.bodyKind = this.contentLength === 0 ? BodyKind.none : BodyKind.length;
    else {
      this.bodyKind = BodyKind.untilClose;
      this.closesConnection = true;
    }
    return ResponseError.none;
  }
}
