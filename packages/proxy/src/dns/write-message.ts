// Writes DNS messages. Names are compressed against those near the start of the message, which is where it pays.
import { invariant } from '@heddle/base';
import { type DnsData, type DnsHeader, type DnsMessage, type DnsRecord, RecordType } from './dns-message.ts';
import { ipBytes } from './ip-address.ts';

/** Names that start in this much of a message are looked for when another one is written. */
const dictionaryBytes = 268;
const maxMessageBytes = 65_535;

/**
 * Writes a message of at most `limitBytes`. One that would be longer goes without its records and says that it is
 * truncated: whoever asked asks again by TCP.
 */
export function writeMessage(message: DnsMessage, limitBytes = maxMessageBytes): Buffer {
  const whole = write(message);
  if (whole.length <= limitBytes) return whole;
  return write({ ...message, isTruncated: true, answers: [], authorities: [], additionals: [] });
}

/** Whether a name can be written: labels of 1 to 63 printable characters, 255 bytes in all. */
export function isWritableName(name: string): boolean {
  return name === '' || (name.length <= 253 && /^(?:[!-\-/-[\]-~]{1,63}\.)*[!-\-/-[\]-~]{1,63}$/.test(name));
}

function write(message: DnsMessage): Buffer {
  const writer = new Writer();
  const { questions, answers, authorities, additionals, ednsPayloadBytes } = message;
  writer.uint16(message.id);
  writer.uint16(flagsOf(message));
  writer.uint16(questions.length);
  writer.uint16(answers.length);
  writer.uint16(authorities.length);
  writer.uint16(additionals.length + (ednsPayloadBytes === null ? 0 : 1));
  for (const question of questions) {
    writer.name(question.name);
    writer.uint16(question.type);
    writer.uint16(question.class);
  }
  for (const record of [...answers, ...authorities, ...additionals]) writer.record(record);
  if (ednsPayloadBytes !== null) {
    writer.record({
      name: '',
      type: RecordType.opt,
      class: ednsPayloadBytes,
      ttlSeconds: (message.responseCode >>> 4) * 0x100_0000,
      data: { kind: 'raw', bytes: Buffer.alloc(0) },
    });
  }
  return writer.finish();
}

function flagsOf(header: DnsHeader): number {
  return (
    (header.isResponse ? 0x8000 : 0) |
    ((header.opcode & 0xf) << 11) |
    (header.isAuthoritative ? 0x0400 : 0) |
    (header.isTruncated ? 0x0200 : 0) |
    (header.recursionDesired ? 0x0100 : 0) |
    (header.recursionAvailable ? 0x0080 : 0) |
    (header.responseCode & 0xf)
  );
}

class Writer {
  private buffer = Buffer.alloc(512);
  private length = 0;
  /** Names written so far and all that they end in, by where they stand. */
  private readonly suffixes = new Map<string, number>();

  finish(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  record({ name, type, class: classNumber, ttlSeconds, data }: DnsRecord): void {
    this.name(name);
    this.uint16(type);
    this.uint16(classNumber);
    this.uint16(Math.floor(ttlSeconds / 0x1_0000));
    this.uint16(ttlSeconds % 0x1_0000);
    const lengthAt = this.length;
    this.uint16(0);
    this.data(data);
    this.buffer.writeUInt16BE(this.length - lengthAt - 2, lengthAt);
  }

  name(name: string): void {
    invariant(isWritableName(name), 'a name has labels of 1 to 63 characters');
    let rest = name;
    while (rest !== '') {
      const known = this.suffixes.get(rest);
      if (known !== undefined) {
        this.uint16(0xc000 | known);
        return;
      }
      if (this.length < dictionaryBytes) this.suffixes.set(rest, this.length);
      const dot = rest.indexOf('.');
      const label = dot < 0 ? rest : rest.slice(0, dot);
      rest = dot < 0 ? '' : rest.slice(dot + 1);
      this.reserve(label.length + 1);
      this.buffer[this.length++] = label.length;
      this.length += this.buffer.write(label, this.length, 'latin1');
    }
    this.reserve(1);
    this.buffer[this.length++] = 0;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.length = this.buffer.writeUInt16BE(value, this.length);
  }

  private data(data: DnsData): void {
    switch (data.kind) {
      case 'address': {
        const bytes = ipBytes(data.address);
        invariant(bytes !== null, 'an address record holds an IP address');
        this.bytes(bytes);
        break;
      }
      case 'name':
        this.name(data.name);
        break;
      case 'service':
        this.uint16(data.priority);
        this.uint16(data.weight);
        this.uint16(data.port);
        this.name(data.target);
        break;
      case 'raw':
        this.bytes(data.bytes);
        break;
    }
  }

  private bytes(bytes: Buffer): void {
    this.reserve(bytes.length);
    bytes.copy(this.buffer, this.length);
    this.length += bytes.length;
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    invariant(needed <= maxMessageBytes, 'a message fits 64 KiB');
    if (needed <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}
