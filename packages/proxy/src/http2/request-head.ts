// Hot path.
import type { FieldFilter } from '../codec/field-filter.ts';
import type { FieldList } from '../codec/field-list.ts';
import { FieldId } from '../codec/field-name.ts';
import type { Field } from '../codec/field.ts';
import type { RequestHeadView } from '../codec/message-view.ts';
import { FieldHead } from './field-head.ts';
import { FieldRule, rulesOf } from './field-rules.ts';

/** The head of a request that came by HTTP/2. One object per stream, filled anew for each request. */
export class Http2RequestHead extends FieldHead implements RequestHeadView {
  method = '';
  path = '';
  hasFragment = false;
  authority = '';
  /** Host never goes on as a field: it is written from `authority`. */
  readonly replacesHost = true;
  protocol: RequestHeadView['protocol'] = 'HTTP/2';
  expectsContinue = false;
  acceptsTrailers = false;
  /** `:protocol` of an extended CONNECT (RFC 8441); empty for none. */
  private extendedProtocol = '';

  /** Takes over a list that HTTP/2's rules have let through. `isFollowed`: the stream goes on behind the head. */
  override take(list: FieldList, isFollowed: boolean): void {
    this.method = '';
    this.path = '';
    this.hasFragment = false;
    this.authority = '';
    this.expectsContinue = false;
    this.acceptsTrailers = false;
    this.extendedProtocol = '';
    const { fields, length } = list;
    for (let i = 0; i < length; i++) {
      const { fieldId, value } = fields[i]!;
      if (fieldId === FieldId.method) this.method = value;
      else if (fieldId === FieldId.path) this.takePath(fields[i]!);
      else if (fieldId === FieldId.authority) this.authority = value;
      else if (fieldId === FieldId.protocol) this.extendedProtocol = value.toLowerCase();
      else if (fieldId === FieldId.te) this.acceptsTrailers = true;
      else if (fieldId === FieldId.expect) this.expectsContinue = value.toLowerCase() === '100-continue';
      // The same as `:authority`, where both are there.
      else if (fieldId === FieldId.host && this.authority === '') this.authority = value;
    }
    // What follows CONNECT is a tunnel's.
    super.take(list, isFollowed && this.method !== 'CONNECT');
  }

  private takePath(field: Field): void {
    this.path = field.value;
    this.hasFragment = (rulesOf(field) & FieldRule.fragment) !== 0;
  }

  get lacksHost(): boolean {
    return this.authority === '';
  }

  /** An extended CONNECT asks for what HTTP/1.1 would be upgraded to; its method there is GET (RFC 8441 §5). */
  get wantedUpgrade(): string {
    return this.method === 'CONNECT' ? this.extendedProtocol || 'connect' : '';
  }

  http1Lines(
    path: string,
    authority: string,
    filter: FieldFilter,
    replaced: readonly string[] | null,
  ): string {
    const isUpgrade = this.extendedProtocol !== '';
    const method = isUpgrade ? 'GET' : this.method;
    const target = path === '' ? authority : path;
    return `${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n${this.keptLines(filter, replaced)}`;
  }

  upgradeLines(): string {
    return `upgrade: ${this.extendedProtocol}\r\nconnection: upgrade\r\n`;
  }
}
