// Reads DNS messages, strictly: what two readers might take for two different things is no message.
import { type Result, err, ok } from '@heddle/base';
import {
  type DnsData,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  RecordType,
} from './dns-message.ts';
import { ipText } from './ip-address.ts';

const headerBytes = 12;
const maxNameBytes = 255;
const maxLabelBytes = 63;
/** Records that a message may have; 64 KiB hold no more useful ones. */
const maxRecords = 4096;

/** Thrown and caught in this file only: a message is read to its end or not at all. */
class Malformed extends Error {}

/** Reads one whole message; the error says what is wrong with it. A truncated one is read up to its questions. */
export function readMessage(bytes: Buffer): Result<DnsMessage, string> {
  try {
    return ok(new Reader(bytes).message());
  } catch (error) {
    if (error instanceof Malformed) return err(error.message);
    throw error;
  }
}

class Reader {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  message(): DnsMessage {
    if (this.bytes.length < headerBytes) throw new Malformed('the header is cut off');
    const id = this.uint16();
    const flags = this.uint16();
    const counts = [this.uint16(), this.uint16(), this.uint16(), this.uint16()] as const;
    const isTruncated = (flags & 0x0200) !== 0;
    const questions: DnsQuestion[] = [];
    if (counts[0] > maxRecords) throw new Malformed('too many questions');
    for (let i = 0; i < counts[0]; i++) {
      questions.push({ name: this.name(), type: this.uint16(), class: this.uint16() });
    }
    const sections: DnsRecord[][] = [[], [], []];
    let edns: Edns | null = null;
    // Where a truncated message was cut is anybody's guess: its records are not to be used.
    if (!isTruncated) {
      for (const [section, records] of sections.entries()) {
        const count = counts[section + 1]!;
        if (count > maxRecords) throw new Malformed('too many records');
        for (let i = 0; i < count; i++) {
          const record = this.record();
          if (record.type !== RecordType.opt) {
            records.push(record);
            continue;
          }
          if (section !== 2 || record.name !== '' || edns !== null)
            throw new Malformed('a misplaced OPT record');
          edns = { payloadBytes: record.class, upperCode: record.ttlSeconds >>> 24 };
        }
      }
      if (this.position !== this.bytes.length) throw new Malformed('bytes follow the last record');
    }
    return {
      id,
      isResponse: (flags & 0x8000) !== 0,
      opcode: (flags >>> 11) & 0xf,
      isAuthoritative: (flags & 0x0400) !== 0,
      isTruncated,
      recursionDesired: (flags & 0x0100) !== 0,
      recursionAvailable: (flags & 0x0080) !== 0,
      responseCode: (flags & 0xf) | ((edns?.upperCode ?? 0) << 4),
      questions,
      answers: sections[0]!,
      authorities: sections[1]!,
      additionals: sections[2]!,
      ednsPayloadBytes: edns?.payloadBytes ?? null,
    };
  }

  private record(): DnsRecord {
    const name = this.name();
    const type = this.uint16();
    const classNumber = this.uint16();
    const ttlSeconds = this.uint32();
    const length = this.uint16();
    const end = this.position + length;
    if (end > this.bytes.length) throw new Malformed('a record is cut off');
    const data = this.data(type, length, end);
    if (this.position !== end) throw new Malformed('a record is not as long as it says');
    return { name, type, class: classNumber, ttlSeconds, data };
  }

  private data(type: number, length: number, end: number): DnsData {
    switch (type) {
      case RecordType.a:
        return this.address(length, 4);
      case RecordType.aaaa:
        return this.address(length, 16);
      case RecordType.cname:
      case RecordType.ptr:
        return { kind: 'name', name: this.name() };
      case RecordType.srv:
        if (length < 7) throw new Malformed('a SRV record is too short');
        return {
          kind: 'service',
          priority: this.uint16(),
          weight: this.uint16(),
          port: this.uint16(),
          target: this.name(),
        };
      default: {
        const bytes = Buffer.from(this.bytes.subarray(this.position, end));
        this.position = end;
        return { kind: 'raw', bytes };
      }
    }
  }

  private address(length: number, expected: 4 | 16): DnsData {
    if (length !== expected) throw new Malformed('an address of the wrong length');
    const address = ipText(this.bytes, this.position, expected);
    this.position += expected;
    return { kind: 'address', address };
  }

  /** RFC 1035 §4.1.4. A pointer leads to an earlier place than all before it: no loops, and no more than the name is long. */
  private name(): string {
    let position = this.position;
    let lowest = position;
    let after = -1;
    let length = 1;
    let name = '';
    for (;;) {
      const size = this.byteAt(position);
      if (size === 0) {
        this.position = after < 0 ? position + 1 : after;
        return name;
      }
      if (size >= 0xc0) {
        const target = ((size & 0x3f) << 8) | this.byteAt(position + 1);
        if (target >= lowest) throw new Malformed('a name points forward');
        if (after < 0) after = position + 2;
        lowest = target;
        position = target;
        continue;
      }
      if (size > maxLabelBytes) throw new Malformed('a label of an unknown kind');
      length += size + 1;
      if (length > maxNameBytes) throw new Malformed('a name is too long');
      const label = this.label(position + 1, size);
      name = name === '' ? label : `${name}.${label}`;
      position += size + 1;
    }
  }

  /** Lower case. A dot or backslash in a label would make it another name in text, and so would what can't be printed. */
  private label(start: number, size: number): string {
    for (let i = start; i < start + size; i++) {
      const byte = this.byteAt(i);
      if (byte <= 0x20 || byte >= 0x7f || byte === 0x2e || byte === 0x5c) {
        throw new Malformed('a name with a character that has no place in one');
      }
    }
    return this.bytes.toString('latin1', start, start + size).toLowerCase();
  }

  private byteAt(position: number): number {
    if (position >= this.bytes.length) throw new Malformed('a name is cut off');
    return this.bytes[position]!;
  }

  private uint16(): number {
    if (this.position + 2 > this.bytes.length) throw new Malformed('the message is cut off');
    this.position += 2;
    return this.bytes.readUInt16BE(this.position - 2);
  }

  private uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }
}

interface Edns {
  readonly payloadBytes: number;
  readonly upperCode: number;
}
