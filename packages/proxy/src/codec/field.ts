// Hot path.
import { fieldIdOfName } from './field-name.ts';

/**
 * One header field: what codecs and the connection manager hand each other. Immutable; fields that come again and again
 * (constants of the configuration, entries of HPACK's tables) are one object, so that they are examined and written once.
 */
export class Field {
  /** Lower case; pseudo-headers of HTTP/2 with their colon. */
  readonly name: string;
  /** One character per byte. */
  readonly value: string;
  /** `FieldId` of the name. */
  readonly fieldId: number;
  private text = '';

  constructor(name: string, value: string, fieldId: number = fieldIdOfName(name)) {
    this.name = name;
    this.value = value;
    this.fieldId = fieldId;
  }

  /** As a line of HTTP/1, ended by CRLF; made when it is first asked for. */
  get line(): string {
    if (this.text === '') this.text = `${this.name}: ${this.value}\r\n`;
    return this.text;
  }
}
