// The other end of a connection under test, which sends whatever frames a test wants and reads the answers as text.
import { VirtualClock, SeededRandom } from '@heddle/testkit';
import { FieldList } from '../codec/field-list.ts';
import type { Connection, ConnectionHandler, TcpAddress } from '../transport/transport.ts';
import type { Http2Context, Http2Settings } from './connection-owner.ts';
import { ErrorCode } from './error-code.ts';
import { FrameFlag, FrameType, clientPreface, readUint32, writeFrameHeader } from './frame.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { testContext } from './test-servers.ts';

type Pair = readonly [string, string];

/** A byte stream that keeps what is written. */
export class TestTransport implements Connection {
  readonly peerIdentity = '';
  readonly peerFingerprint = '';
  readonly tls = null;
  readonly remoteAddress = '';
  readonly remotePort = 0;
  readonly localAddress = '';
  readonly localPort = 0;
  readonly originalDestination = null;
  readonly directRemoteAddress = '';
  readonly directRemotePort = 0;
  upstreamSource = null;
  inspectedServerName = '';
  readonly fileDescriptor = -1;
  /** What `write` answers: false for a peer that doesn't read. */
  isWritable = true;
  hasEnded = false;
  isDestroyed = false;
  /** One entry for each write. */
  writes: Buffer[] = [];
  /** The buffers that were written from. */
  readonly sources = new Set<Buffer>();

  write(buffer: Buffer, start: number, end: number): boolean {
    this.sources.add(buffer);
    if (!this.hasEnded && !this.isDestroyed) this.writes.push(Buffer.from(buffer.subarray(start, end)));
    return this.isWritable;
  }

  writeHeadAndBody(text: string, buffer: Buffer, start: number, end: number): boolean {
    this.writeLatin1(text);
    return this.write(buffer, start, end);
  }

  writeLatin1(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1');
    return this.write(bytes, 0, bytes.length);
  }

  end(): void {
    this.hasEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  reset(): void {
    this.isDestroyed = true;
  }

  pauseReading(): void {
    // Tests deliver when they please.
  }

  resumeReading(): void {
    // As above.
  }

  overrideAddresses(_remote: TcpAddress | null, _local: TcpAddress | null): void {
    // Of no interest here.
  }

  setHandler(_handler: ConnectionHandler): void {
    // Of no interest here.
  }
}

/** A frame's bytes. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  bytes.set(payload, 9);
  return bytes;
}

/** A header block that uses no table. */
export function block(...fields: readonly Pair[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  let left = bytes.length;
  if (left < 0x7f) length.push(left);
  else {
    length.push(0x7f);
    for (left -= 0x7f; left >= 0x80; left >>>= 7) length.push((left & 0x7f) | 0x80);
    length.push(left);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** HEADERS in one frame, with END_HEADERS. */
export function headers(streamId: number, fields: readonly Pair[], flags = 0): Buffer {
  return frame(FrameType.headers, flags | FrameFlag.endHeaders, streamId, block(...fields));
}

export function data(streamId: number, body: string | Uint8Array, flags = 0): Buffer {
  return frame(FrameType.data, flags, streamId, typeof body === 'string' ? Buffer.from(body) : body);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

export function rstStream(streamId: number, code: number): Buffer {
  return frame(FrameType.rstStream, 0, streamId, uint32(code));
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(FrameType.windowUpdate, 0, streamId, uint32(increment));
}

/** SETTINGS of these identifiers and values. */
export function settings(...entries: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * entries.length);
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  });
  return frame(FrameType.settings, 0, 0, payload);
}

export const settingsAck: Buffer = frame(FrameType.settings, FrameFlag.ack, 0);
export const getRequest: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
];
export const postRequest: readonly Pair[] = [[':method', 'POST'], ...getRequest.slice(1)];
/** What a client begins with. */
export const clientStart: Buffer = Buffer.concat([clientPreface, settings()]);

const typeNames = Object.fromEntries(
  Object.entries(FrameType).map(([name, type]) => [
    type,
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
  ]),
);
const codeNames = Object.fromEntries(
  Object.entries(ErrorCode).map(([name, code]) => [
    code,
    name.replaceAll(/[A-Z]|11/g, (letter) => `_${letter}`).toUpperCase(),
  ]),
);

/** Reads frames as one line each: `HEADERS 1 :status=200 END`, `GOAWAY 0 last=1 PROTOCOL_ERROR`. */
export class FrameTexts {
  private readonly decoder = new HpackDecoder({ maxTableSize: 4096, maxListBytes: 1e6, maxFields: 1000 });
  private rest = Buffer.alloc(0);

  read(bytes: Buffer): string[] {
    const texts: string[] = [];
    let whole = Buffer.concat([this.rest, bytes]);
    if (whole.subarray(0, clientPreface.length).equals(clientPreface)) {
      texts.push('PREFACE');
      whole = whole.subarray(clientPreface.length);
    }
    while (whole.length >= 9 && whole.length >= 9 + whole.readUIntBE(0, 3)) {
      const end = 9 + whole.readUIntBE(0, 3);
      const type = typeNames[whole[3]!] ?? String(whole[3]);
      const content = this.content(whole[3]!, whole[4]!, whole.subarray(9, end));
      texts.push(`${type} ${whole.readUInt32BE(5)}${content === '' ? '' : ` ${content}`}`);
      whole = whole.subarray(end);
    }
    this.rest = whole;
    return texts;
  }

  private content(type: number, flags: number, payload: Buffer): string {
    const end = (flags & FrameFlag.endStream) === 0 ? '' : 'END';
    switch (type) {
      case FrameType.data:
        return [payload.length > 40 ? `[${payload.length}]` : payload.toString('latin1'), end]
          .join(' ')
          .trim();
      case FrameType.headers: {
        const list = new FieldList();
        const error = this.decoder.decode(payload, 0, payload.length, list);
        if (error !== 0) return `hpack error ${error}`;
        const fields = list.fields.slice(0, list.length).map(({ name, value }) => `${name}=${value}`);
        return [...fields, end].join(' ').trim();
      }
      case FrameType.goaway:
        return `last=${readUint32(payload, 0)} ${codeNames[readUint32(payload, 4)]}`;
      case FrameType.rstStream:
        return `${codeNames[readUint32(payload, 0)]}`;
      case FrameType.windowUpdate:
        return `${readUint32(payload, 0)}`;
      case FrameType.settings:
        return (flags & FrameFlag.ack) === 0 ? '' : 'ACK';
      case FrameType.ping:
        return `${payload.toString('hex')}${(flags & FrameFlag.ack) === 0 ? '' : ' ACK'}`;
      default:
        return '';
    }
  }
}

/** Drives one connection under test. */
export class RawPeer {
  readonly clock = new VirtualClock();
  readonly context: Http2Context = testContext(this.clock, new SeededRandom('http2'));
  readonly transport = new TestTransport();
  private readonly texts = new FrameTexts();
  private handler: ConnectionHandler | null = null;

  /** The connection that is told what this end sends. */
  attach<T extends ConnectionHandler>(connection: T): T {
    this.handler = connection;
    return connection;
  }

  /** Delivers frames in one read. */
  send(...frames: readonly Uint8Array[]): this {
    const bytes = Buffer.concat(frames);
    this.handler!.onData(bytes, 0, bytes.length);
    return this;
  }

  /** Delivers bytes as they are cut, each piece in memory that is overwritten afterwards. */
  sendCut(bytes: Buffer, cuts: readonly number[]): this {
    let start = 0;
    for (const end of [...cuts, bytes.length]) {
      if (end === start) continue;
      const scratch = Buffer.alloc(end - start + 32, 0xdd);
      bytes.copy(scratch, 16, start, end);
      this.handler!.onData(scratch, 16, 16 + end - start);
      scratch.fill(0xdd);
      start = end;
    }
    return this;
  }

  /** Frames that have come since the last call, after the end of the turn. */
  received(): string[] {
    this.clock.advance(0);
    const bytes = Buffer.concat(this.transport.writes);
    this.transport.writes = [];
    return this.texts.read(bytes);
  }

  /** The transport has got rid of everything. */
  drain(): void {
    this.transport.isWritable = true;
    this.handler!.onDrain();
  }

  /** The connection is gone. */
  close(): void {
    this.handler!.onClose(null);
  }
}

/** Counters that have a value other than 0, by their names in the class. */
export function counted({ metrics }: Http2Settings): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, { value }]: [string, { value: number }]) =>
      value === 0 ? [] : [[name, value]],
    ),
  );
}
