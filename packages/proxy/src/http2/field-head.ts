// Hot path.
// What heads of requests and responses that came by HTTP/2 share: a list of fields.
import type { FieldFilter } from '../codec/field-filter.ts';
import { FieldId } from '../codec/field-name.ts';
import { FieldList } from '../codec/field-list.ts';
import type { Field } from '../codec/field.ts';
import { BodyKind, type MessageView } from '../codec/message-view.ts';

/** True for pseudo-headers; they come first. */
export function isPseudoHeader(field: Field): boolean {
  const { fieldId } = field;
  return fieldId >= FieldId.method && fieldId <= FieldId.status;
}

/**
 * The head of a message that came by HTTP/2. Its fields go on to HTTP/2 as they are: the same objects. `Cookie`, which may
 * come in crumbs, is one field to everybody else (RFC 9113 §8.2.3).
 */
export abstract class FieldHead implements MessageView {
  bodyKind: number = BodyKind.none;
  contentLength = 0;
  /** Without pseudo-headers. */
  protected readonly fields = new FieldList();
  /** HTTP/1 needs one where HTTP/2 has the end of the stream. */
  protected hasContentLength = false;

  /** Lets go of the head. */
  clear(): void {
    this.fields.clear();
  }

  /** No field of HTTP/2 can say that others are for this hop. */
  isNominated(): boolean {
    return false;
  }

  header(lowerCaseName: string): string | null {
    const { fields, length } = this.fields;
    let found: string | null = null;
    for (let i = 0; i < length; i++) {
      const field = fields[i]!;
      if (field.name === lowerCaseName) found = joined(found, field);
    }
    return found;
  }

  headerValue(lowerCaseName: string, index: number): string | null {
    if (lowerCaseName === 'cookie') return index === 0 ? this.header(lowerCaseName) : null;
    const { fields, length } = this.fields;
    let left = index;
    for (let i = 0; i < length; i++) {
      if (fields[i]!.name === lowerCaseName && left-- === 0) return fields[i]!.value;
    }
    return null;
  }

  valueById(id: number): string {
    const { fields, length } = this.fields;
    for (let i = 0; i < length; i++) if (fields[i]!.fieldId === id) return fields[i]!.value;
    return '';
  }

  joinedById(id: number): string | null {
    const { fields, length } = this.fields;
    let found: string | null = null;
    for (let i = 0; i < length; i++) if (fields[i]!.fieldId === id) found = joined(found, fields[i]!);
    return found;
  }

  keptFields(filter: FieldFilter, replaced: readonly string[] | null, into: FieldList): void {
    const { fields, length } = this.fields;
    for (let i = 0; i < length; i++) {
      const field = fields[i]!;
      if (filter[field.fieldId] === 1) continue;
      if (replaced === null || !replaced.includes(field.name)) into.add(field);
    }
  }

  /** Takes over what comes behind the pseudo-headers. `hasBody`: something follows the head, be it an empty body. */
  protected take(list: FieldList, hasBody: boolean): void {
    const { fields, length } = list;
    this.fields.clear();
    this.contentLength = 0;
    this.hasContentLength = false;
    this.bodyKind = hasBody ? BodyKind.untilEnd : BodyKind.none;
    let i = 0;
    while (i < length && isPseudoHeader(fields[i]!)) i++;
    for (; i < length; i++) {
      const field = fields[i]!;
      this.fields.add(field);
      if (field.fieldId !== FieldId.contentLength) continue;
      this.hasContentLength = true;
      if (!hasBody) continue;
      this.contentLength = Number(field.value);
      this.bodyKind = BodyKind.length;
    }
  }

  /** The kept fields as lines of HTTP/1, each ended by CRLF. */
  protected keptLines(filter: FieldFilter, replaced: readonly string[] | null): string {
    const { fields, length } = this.fields;
    let text = '';
    let hasCookie = false;
    for (let i = 0; i < length; i++) {
      const field = fields[i]!;
      if (filter[field.fieldId] === 1) continue;
      if (replaced !== null && replaced.includes(field.name)) continue;
      if (field.fieldId !== FieldId.cookie) text += field.line;
      else if (!hasCookie) {
        hasCookie = true;
        text += this.cookieLine(field);
      }
    }
    return text;
  }

  private cookieLine(first: Field): string {
    const whole = this.joinedById(FieldId.cookie)!;
    return whole === first.value ? first.line : `cookie: ${whole}\r\n`;
  }
}

function joined(earlier: string | null, field: Field): string {
  if (earlier === null) return field.value;
  return field.fieldId === FieldId.cookie ? `${earlier}; ${field.value}` : `${earlier},${field.value}`;
}
