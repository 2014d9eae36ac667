// Hot path.
import { detachedText } from './detached-text.ts';
import type { FieldName } from './field-name.ts';
import { fieldNameCache } from './name-cache.ts';

/** What `Field.id` says of a field that the cache doesn't hold. */
export const NotHeld = {
  /** Not seen before. */
  fresh: -1,
  /** Seen before: the cache takes it when it is used once more. */
  seen: -2,
  /** A secret that no table may hold, here or further on (RFC 7541 §7.1.3). */
  never: -3,
} as const;

/**
 * One header field: what codecs and the connection manager hand each other. Its text is immutable; fields that come again
 * and again (constants of the configuration, entries of HPACK's tables) are one object, so that they are examined and
 * written once.
 */
export class Field {
  /** The name and what goes with it. */
  readonly key: FieldName;
  /** One character per byte. */
  readonly value: string;
  /** What it counts for in HPACK's tables and in limits of header lists, in bytes (RFC 7541 §4.1, RFC 9113 §6.5.2). */
  readonly size: number;
  /**
   * 0 or more: the number under which the cache of fields holds it; else one of `NotHeld`. Numbers are small, and given to
   * another field once this one has left the cache: whoever keeps a number compares the field too. Only the cache and
   * encoders write it.
   */
  id: number;
  /** Used since the cache last looked whether it may be dropped. */
  wasUsed = false;
  /** Memo of the cache: the hash of name and value, 0 until it is needed. */
  hash = 0;
  /** Memo of HTTP/2's rules for fields: 0 until they are asked. */
  rules = 0;
  private text = '';

  /** `name` in lower case. `isNeverIndexed`: a secret that HPACK must not put into a table. */
  constructor(name: string | FieldName, value: string, isNeverIndexed = false) {
    this.key = typeof name === 'string' ? fieldNameCache.of(name) : name;
    this.value = value;
    this.size = this.key.text.length + value.length + 32;
    this.id = isNeverIndexed ? NotHeld.never : NotHeld.fresh;
  }

  /** Lower case; pseudo-headers of HTTP/2 with their colon. */
  get name(): string {
    return this.key.text;
  }

  /** `FieldId` of the name. */
  get fieldId(): number {
    return this.key.fieldId;
  }

  get isNeverIndexed(): boolean {
    return this.id === NotHeld.never;
  }

  /** A field whose line is written as it came, in capitals or not. */
  static asItCame(name: string, value: string): Field {
    const field = new Field(name.toLowerCase(), value);
    field.text = `${name}: ${value}\r\n`;
    return field;
  }

  /** Lets go of the message that the value may have been cut out of: for fields that are kept longer than that. */
  detach(): void {
    // The same text: to everybody else it is the value that never changes.
    (this as { value: string }).value = detachedText(this.value);
  }

  /** As a line of HTTP/1, ended by CRLF; made when it is first asked for. */
  get line(): string {
    if (this.text === '') this.text = `${this.key.text}: ${this.value}\r\n`;
    return this.text;
  }
}
