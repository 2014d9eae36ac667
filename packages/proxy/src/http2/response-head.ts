// Hot path.
import { ResponseKind } from '../codec/client-stream.ts';
import type { FieldFilter } from '../codec/field-filter.ts';
import { FieldId } from '../codec/field-name.ts';
import type { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import type { ResponseHeadView } from '../codec/message-view.ts';
import { reasonPhrase } from '../http1/reason-phrase.ts';
import { FieldHead } from './field-head.ts';

const emptyBody = 'content-length: 0\r\n';

/** One response's head. One object per stream, filled anew for each interim response. */
export class Http2ResponseHead extends FieldHead implements ResponseHeadView {
  status = 0;
  isWhole = false;
  hasServer = false;
  hasDate = false;
  /** What the request has become; empty for nothing. */
  private upgrade = '';
  /** HTTP/1 has to be told that there is no body. */
  private lacksLength = false;

  /**
   * Fills the head from a list that has been checked. `asked` (a `ResponseKind`), because the answers to HEAD and, with 2xx, to
   * CONNECT have no body, whatever they say. `endStream`: nothing follows.
   */
  read(list: FieldList, asked: number, endStream: boolean): void {
    const status = Number(list.fields[0]!.value);
    this.status = status;
    this.isWhole = endStream;
    this.upgrade = '';
    const isBodiless = status < 200 || status === 204 || status === 304;
    const isAnsweredWithout =
      asked === ResponseKind.head || (asked >= ResponseKind.upgrade && status >= 200 && status < 300);
    this.take(list, !endStream && !isBodiless && !isAnsweredWithout);
    // A length of 0, which does no harm, is often there where none may be (RFC 9110 §8.6); it doesn't go on.
    if (isBodiless && status !== 304 && this.hasContentLength) this.fields.remove('content-length');
    this.lacksLength = endStream && !this.hasContentLength && !isBodiless && !isAnsweredWithout;
    this.hasServer = false;
    this.hasDate = false;
    const { fields, length } = this.fields;
    for (let i = 0; i < length; i++) {
      const { fieldId } = fields[i]!;
      if (fieldId === FieldId.server) this.hasServer = true;
      else if (fieldId === FieldId.date) this.hasDate = true;
    }
  }

  /**
   * Makes of the 200 that answers an extended CONNECT the 101 that it is to everybody but HTTP/2 (RFC 8441 §5). `accept`
   * stands in for a `Sec-WebSocket-Accept` that is not there; null where there is nothing to stand in for.
   */
  becomeUpgrade(protocol: string, accept: string | null): void {
    this.status = 101;
    this.upgrade = protocol;
    if (accept !== null && !this.fields.has('sec-websocket-accept')) {
      this.fields.add(new Field('sec-websocket-accept', accept));
    }
  }

  http1Lines(
    version: 'HTTP/1.0' | 'HTTP/1.1',
    filter: FieldFilter,
    replaced: readonly string[] | null,
  ): string {
    const line = `${version} ${this.status} ${reasonPhrase(this.status)}\r\n`;
    const lines = line + this.keptLines(filter, replaced);
    return this.lacksLength ? lines + emptyBody : lines;
  }

  upgradeLines(): string {
    return `upgrade: ${this.upgrade}\r\nconnection: upgrade\r\n`;
  }
}
