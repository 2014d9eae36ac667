// Hot path.
import type { Field } from './field.ts';

/** Fields in their order, names repeated or not. Filled, read and cleared again and again. */
export class FieldList {
  /** The first `length` of these; what lies behind is left over. */
  readonly fields: Field[] = [];
  length = 0;

  /** A list of these. */
  static of(...fields: readonly Field[]): FieldList {
    const list = new FieldList();
    for (const field of fields) list.add(field);
    return list;
  }

  /** What limits of header lists count, in bytes (RFC 9113 §6.5.2). HPACK never writes more than that. */
  get decodedBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.length; i++) bytes += this.fields[i]!.size;
    return bytes;
  }

  add(field: Field): void {
    this.fields[this.length++] = field;
  }

  clear(): void {
    this.length = 0;
  }

  /** All values of a field joined with `,` (RFC 9110 §5.3), null where it is absent. */
  value(lowerCaseName: string): string | null {
    let found: string | null = null;
    for (let i = 0; i < this.length; i++) {
      const field = this.fields[i]!;
      if (field.name !== lowerCaseName) continue;
      found = found === null ? field.value : `${found},${field.value}`;
    }
    return found;
  }

  has(lowerCaseName: string): boolean {
    for (let i = 0; i < this.length; i++) if (this.fields[i]!.name === lowerCaseName) return true;
    return false;
  }

  /** Takes out all fields of this name. */
  remove(lowerCaseName: string): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      const field = this.fields[i]!;
      if (field.name !== lowerCaseName) this.fields[kept++] = field;
    }
    this.length = kept;
  }

  /** Replaces what is in here by what is in `other`. */
  copy(other: FieldList): void {
    this.length = 0;
    for (let i = 0; i < other.length; i++) this.add(other.fields[i]!);
  }

  /** As lines of HTTP/1, each ended by CRLF. */
  lines(): string {
    let text = '';
    for (let i = 0; i < this.length; i++) text += this.fields[i]!.line;
    return text;
  }
}
