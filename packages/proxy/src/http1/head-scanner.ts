// Hot path.
// Finds the parts of an HTTP/1.1 head in bytes, strictly (RFC 9112 §2–5) and resumably: any split of the bytes gives the
// same result, and no byte is looked at twice. It makes no objects; positions are relative to the head's first byte.
import { isFieldValueCharacter, isTargetCharacter, isTokenCharacter } from '../codec/character-class.ts';
import { fieldIdOf } from '../codec/field-name.ts';

/** What `scan` answers besides a position: more bytes are needed. */
export const needMore = -1;

/** Why a head is refused. `scan` answers with one of these numbers, all below `needMore`. */
export const HeadError = {
  badMethod: -2,
  badTarget: -3,
  badVersion: -4,
  unsupportedVersion: -5,
  badLineEnd: -6,
  badFieldName: -7,
  badFieldValue: -8,
  lineFolding: -9,
  tooLarge: -10,
  tooManyFields: -11,
  badStatus: -12,
} as const;

/** Numbers per field in `fields`. */
export const fieldStride = 5;
export const FieldOffset = { nameStart: 0, nameEnd: 1, valueStart: 2, valueEnd: 3, id: 4 } as const;

const State = {
  start: 0,
  startLineFeed: 1,
  method: 2,
  target: 3,
  requestVersion: 4,
  responseVersion: 5,
  status: 6,
  reason: 7,
  startLineEnd: 8,
  fieldStart: 9,
  fieldName: 10,
  beforeValue: 11,
  value: 12,
  valueEnd: 13,
  headEnd: 14,
  done: 15,
} as const;

const versionPrefix = Buffer.from('HTTP/1.');
const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const colon = 0x3a;

/** Scans one head after another; `reset` between them. One per connection. */
export class HeadScanner {
  /** Positions and `FieldId` of each field: `fieldStride` numbers each. */
  fields: Int32Array = new Int32Array(24 * fieldStride);
  fieldCount = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minorVersion = 1;
  status = 0;
  /** Where the start line begins: after up to two empty lines, which clients sent in olden times. */
  startLineStart = 0;
  /** Where the first field begins. */
  fieldsStart = 0;

  private readonly isRequest: boolean;
  private readonly maxBytes: number;
  private readonly maxFields: number;
  private state: number = State.start;
  private mark = 0;
  private valueEndMark = 0;
  private emptyLines = 0;

  constructor(isRequest: boolean, maxBytes: number, maxFields: number) {
    this.isRequest = isRequest;
    this.maxBytes = maxBytes;
    this.maxFields = maxFields;
  }

  hasLimits(maxBytes: number, maxFields: number): boolean {
    return this.maxBytes === maxBytes && this.maxFields === maxFields;
  }

  /** Forgets the last head. */
  reset(): void {
    this.state = State.start;
    this.fieldCount = 0;
    this.mark = 0;
    this.valueEndMark = 0;
    this.emptyLines = 0;
    this.status = 0;
  }

  /** Like `reset`, but what follows are fields only, as in a trailer section. */
  resetToFields(): void {
    this.reset();
    this.state = State.fieldStart;
    this.fieldsStart = 0;
  }

  /** True where part of a head has been seen: the peer owes the rest. */
  get isMidHead(): boolean {
    return this.state !== State.start || this.emptyLines > 0;
  }

  /**
   * Looks at `buffer[base + from, base + end)`, where the head began at `base` and everything before `from` has been
   * looked at. Returns the position behind the head, `needMore`, or a `HeadError`.
   */
  scan(buffer: Uint8Array, base: number, from: number, end: number): number {
    const limit = end > this.maxBytes ? this.maxBytes : end;
    let i = from;
    let state = this.state;
    let mark = this.mark;
    // Most heads come whole: their lines are taken one at a time, and what is left over goes byte by byte.
    if (state === State.start) {
      const next = this.isRequest
        ? this.takeRequestLine(buffer, base, i, limit)
        : this.takeStatusLine(buffer, base, i, limit);
      if (next > i) {
        i = next;
        state = State.fieldStart;
      }
    }
    while (i < limit) {
      if (state === State.fieldStart) {
        i = this.takeFieldLines(buffer, base, i, limit);
        if (i === limit) break;
      }
      const byte = buffer[base + i]!;
      switch (state) {
        case State.start:
          if (byte === CR && this.emptyLines < 2 && this.isRequest) {
            state = State.startLineFeed;
            i++;
            break;
          }
          this.startLineStart = i;
          mark = i;
          state = this.isRequest ? State.method : State.responseVersion;
          break;
        case State.startLineFeed:
          if (byte !== LF) return HeadError.badLineEnd;
          this.emptyLines++;
          state = State.start;
          i++;
          break;
        case State.method:
          while (i < limit && isTokenCharacter[buffer[base + i]!] === 1) i++;
          if (i === limit) break;
          if (buffer[base + i] !== SP || i === mark) return HeadError.badMethod;
          this.methodEnd = i;
          this.targetStart = ++i;
          state = State.target;
          break;
        case State.target:
          while (i < limit && isTargetCharacter[buffer[base + i]!] === 1) i++;
          if (i === limit) break;
          // HTTP/0.9 ends here: `GET /` and a line end.
          if (buffer[base + i] === CR) return HeadError.badVersion;
          if (buffer[base + i] !== SP || i === this.targetStart) return HeadError.badTarget;
          this.targetEnd = i;
          mark = ++i;
          state = State.requestVersion;
          break;
        case State.requestVersion:
        case State.responseVersion: {
          const index = i - mark;
          if (index < versionPrefix.length) {
            if (byte !== versionPrefix[index])
              return index === 5 ? HeadError.unsupportedVersion : HeadError.badVersion;
            i++;
            break;
          }
          if (index === versionPrefix.length) {
            if (byte !== 0x30 && byte !== 0x31) return HeadError.unsupportedVersion;
            this.minorVersion = byte - 0x30;
            i++;
            break;
          }
          if (state === State.requestVersion) {
            if (byte !== CR) return byte === LF ? HeadError.badLineEnd : HeadError.badVersion;
            state = State.startLineEnd;
          } else {
            if (byte !== SP) return HeadError.badVersion;
            state = State.status;
            mark = i + 1;
          }
          i++;
          break;
        }
        case State.status: {
          const index = i - mark;
          if (index < 3) {
            if (byte < 0x30 || byte > 0x39) return HeadError.badStatus;
            this.status = this.status * 10 + byte - 0x30;
            i++;
            break;
          }
          // The space before an absent reason may be absent too: servers do that, and clients all take it.
          if (this.status < 100 || (byte !== SP && byte !== CR)) return HeadError.badStatus;
          state = byte === SP ? State.reason : State.startLineEnd;
          i++;
          break;
        }
        case State.reason:
          while (i < limit && isFieldValueCharacter[buffer[base + i]!] === 1) i++;
          if (i === limit) break;
          if (buffer[base + i] !== CR) return HeadError.badLineEnd;
          state = State.startLineEnd;
          i++;
          break;
        case State.startLineEnd:
          if (byte !== LF) return HeadError.badLineEnd;
          this.fieldsStart = ++i;
          state = State.fieldStart;
          break;
        case State.fieldStart:
          if (byte === CR) {
            state = State.headEnd;
            i++;
            break;
          }
          if (byte === SP || byte === HTAB) return HeadError.lineFolding;
          if (this.fieldCount === this.maxFields) return HeadError.tooManyFields;
          mark = i;
          state = State.fieldName;
          break;
        case State.fieldName:
          while (i < limit && isTokenCharacter[buffer[base + i]!] === 1) i++;
          if (i === limit) break;
          if (buffer[base + i] !== colon || i === mark) {
            return buffer[base + i] === LF ? HeadError.badLineEnd : HeadError.badFieldName;
          }
          this.startField(buffer, base, mark, i);
          i++;
          state = State.beforeValue;
          break;
        case State.beforeValue:
          while (i < limit && (buffer[base + i] === SP || buffer[base + i] === HTAB)) i++;
          if (i === limit) break;
          mark = i;
          state = State.value;
          break;
        case State.value: {
          while (i < limit && isFieldValueCharacter[buffer[base + i]!] === 1) i++;
          if (i === limit) break;
          const stop = buffer[base + i]!;
          if (stop !== CR) return stop === LF ? HeadError.badLineEnd : HeadError.badFieldValue;
          let last = i;
          while (last > mark && (buffer[base + last - 1] === SP || buffer[base + last - 1] === HTAB)) last--;
          this.valueEndMark = last;
          state = State.valueEnd;
          i++;
          break;
        }
        case State.valueEnd:
          if (byte !== LF) return HeadError.badLineEnd;
          this.finishField(mark, this.valueEndMark);
          i++;
          state = State.fieldStart;
          break;
        default:
          if (byte !== LF) return HeadError.badLineEnd;
          this.state = State.done;
          return i + 1;
      }
    }
    this.state = state;
    this.mark = mark;
    return i >= this.maxBytes ? HeadError.tooLarge : needMore;
  }

  /**
   * Takes `method SP target SP HTTP/1.x CRLF` where all of it is there and nothing in it is unusual. Returns the position
   * behind it, or `from` where the line has to be looked at byte by byte.
   */
  private takeRequestLine(buffer: Uint8Array, base: number, from: number, limit: number): number {
    const end = base + limit;
    let at = base + from;
    while (at < end && isTokenCharacter[buffer[at]!] === 1) at++;
    const methodEnd = at - base;
    if (at === end || buffer[at] !== SP || methodEnd === from) return from;
    const targetStart = ++at;
    while (at < end && isTargetCharacter[buffer[at]!] === 1) at++;
    if (at === targetStart || end - at < 11 || buffer[at] !== SP || !isVersionPrefix(buffer, at + 1))
      return from;
    const minorVersion = buffer[at + 8]! - 0x30;
    if ((minorVersion !== 0 && minorVersion !== 1) || buffer[at + 9] !== CR || buffer[at + 10] !== LF)
      return from;
    this.startLineStart = from;
    this.methodEnd = methodEnd;
    this.targetStart = targetStart - base;
    this.targetEnd = at - base;
    this.minorVersion = minorVersion;
    this.fieldsStart = at - base + 11;
    return this.fieldsStart;
  }

  /** As `takeRequestLine`, for `HTTP/1.x SP status SP reason CRLF`. */
  private takeStatusLine(buffer: Uint8Array, base: number, from: number, limit: number): number {
    const end = base + limit;
    let at = base + from;
    if (end - at < 15 || !isVersionPrefix(buffer, at) || buffer[at + 8] !== SP || buffer[at + 12] !== SP)
      return from;
    const minorVersion = buffer[at + 7]! - 0x30;
    const hundreds = buffer[at + 9]! - 0x30;
    const tens = buffer[at + 10]! - 0x30;
    const ones = buffer[at + 11]! - 0x30;
    if (minorVersion !== 0 && minorVersion !== 1) return from;
    if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return from;
    at += 13;
    while (at < end && isFieldValueCharacter[buffer[at]!] === 1) at++;
    if (end - at < 2 || buffer[at] !== CR || buffer[at + 1] !== LF) return from;
    this.startLineStart = from;
    this.minorVersion = minorVersion;
    this.status = hundreds * 100 + tens * 10 + ones;
    this.fieldsStart = at - base + 2;
    return this.fieldsStart;
  }

  /**
   * Takes field lines that are there as a whole and in which nothing is unusual. Returns the position of the first line that
   * has to be looked at byte by byte: the empty one behind the last field, as a rule.
   */
  private takeFieldLines(buffer: Uint8Array, base: number, from: number, limit: number): number {
    const end = base + limit;
    let lineStart = base + from;
    while (this.fieldCount < this.maxFields) {
      let at = lineStart;
      while (at < end && isTokenCharacter[buffer[at]!] === 1) at++;
      if (at === end || at === lineStart || buffer[at] !== colon) break;
      const nameEnd = at++;
      while (at < end && buffer[at] === SP) at++;
      const valueStart = at;
      // Comparing costs less than looking up: nearly every byte of a head is one of these.
      for (; at < end; at++) {
        const byte = buffer[at]!;
        if (byte < 0x20 || byte === 0x7f) break;
      }
      if (end - at < 2 || buffer[at] !== CR || buffer[at + 1] !== LF) break;
      let valueEnd = at;
      while (valueEnd > valueStart && buffer[valueEnd - 1] === SP) valueEnd--;
      this.startField(buffer, base, lineStart - base, nameEnd - base);
      this.finishField(valueStart - base, valueEnd - base);
      lineStart = at + 2;
    }
    return lineStart - base;
  }

  private startField(buffer: Uint8Array, base: number, nameStart: number, nameEnd: number): void {
    const at = this.fieldCount * fieldStride;
    if (at === this.fields.length) {
      const larger = new Int32Array(this.fields.length * 2);
      larger.set(this.fields);
      this.fields = larger;
    }
    const { fields } = this;
    fields[at + FieldOffset.nameStart] = nameStart;
    fields[at + FieldOffset.nameEnd] = nameEnd;
    fields[at + FieldOffset.id] = fieldIdOf(buffer, base + nameStart, base + nameEnd);
  }

  private finishField(valueStart: number, valueEnd: number): void {
    const at = this.fieldCount * fieldStride;
    this.fields[at + FieldOffset.valueStart] = valueStart;
    this.fields[at + FieldOffset.valueEnd] = valueEnd;
    this.fieldCount++;
  }
}

function isVersionPrefix(buffer: Uint8Array, at: number): boolean {
  return (
    buffer[at] === 0x48 &&
    buffer[at + 1] === 0x54 &&
    buffer[at + 2] === 0x54 &&
    buffer[at + 3] === 0x50 &&
    buffer[at + 4] === 0x2f &&
    buffer[at + 5] === 0x31 &&
    buffer[at + 6] === 0x2e
  );
}
