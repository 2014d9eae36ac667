// Hot path.
import type { FieldList } from '../codec/field-list.ts';
import { FrameFlag, FrameType, frameHeaderBytes, maxPayloadBytes, writeFrameHeader } from './frame.ts';
import type { FrameOutput } from './frame-output.ts';
import { HpackEncoder } from './hpack/encoder.ts';

/** What a block may take besides its fields: changes of the table's size. */
const blockOverhead = 12;

/** Writes header blocks in the order in which they leave. */
export class HeaderSender {
  private readonly encoder: HpackEncoder;
  private readonly output: FrameOutput;

  /** `largestTable`: of HPACK, in bytes, where the peer allows it. */
  constructor(output: FrameOutput, largestTable: number) {
    this.output = output;
    this.encoder = new HpackEncoder(largestTable);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setMaxTableSize(bytes: number): void {
    this.encoder.setMaxTableSize(bytes);
  }

  /** Sends a head or trailers. `flags`: END_STREAM or none. */
  send(streamId: number, fields: FieldList, flags: number): void {
    const { output } = this;
    const bytes = fields.decodedBytes + blockOverhead;
    if (bytes > maxPayloadBytes) {
      this.sendLarge(streamId, fields, flags, bytes);
      return;
    }
    const at = output.room(frameHeaderBytes + bytes);
    const { block } = output;
    const start = at + frameHeaderBytes;
    const end = this.encoder.encode(fields, block, start);
    writeFrameHeader(block, at, end - start, FrameType.headers, flags | FrameFlag.endHeaders, streamId);
    output.wroteHeaders(streamId, end);
  }

  /** One that may take several frames; nothing comes between them (RFC 9113 §4.3). */
  private sendLarge(streamId: number, fields: FieldList, flags: number, bytes: number): void {
    const { output } = this;
    const whole = Buffer.allocUnsafe(bytes);
    const end = this.encoder.encode(fields, whole, 0);
    let start = 0;
    do {
      const length = Math.min(maxPayloadBytes, end - start);
      const type = start === 0 ? FrameType.headers : FrameType.continuation;
      const isLast = start + length === end;
      const own = start === 0 ? flags : 0;
      const at = output.begin(type, isLast ? own | FrameFlag.endHeaders : own, streamId, length);
      whole.copy(output.block, at, start, start + length);
      start += length;
    } while (start < end);
  }
}
