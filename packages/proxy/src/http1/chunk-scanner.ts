// Hot path.
// Follows chunked framing (RFC 9112 §7.1) without taking it apart: the bytes are forwarded as they are, and this finds
// where the body ends and refuses everything that another parser might frame differently. Resumable at any byte.
import { isFieldValueCharacter, isTokenCharacter } from '../codec/character-class.ts';
import { ExtensionState, nextExtensionState } from './chunk-extension.ts';

/** What `scan` answers instead of a position. */
export const chunkError = -1;

const State = {
  size: 0,
  extension: 1,
  sizeLineFeed: 2,
  data: 3,
  dataCarriageReturn: 4,
  dataLineFeed: 5,
  trailerStart: 6,
  trailerName: 7,
  trailerValue: 8,
  trailerLineFeed: 9,
  lastLineFeed: 10,
  done: 11,
} as const;

/** Extensions mean nothing to anybody, but cost: all of one body together may have this many bytes. */
const maxExtensionBytes = 4096;
const maxTrailerBytes = 16_384;
const maxSizeDigits = 12;
const CR = 0x0d;
const LF = 0x0a;

export class ChunkScanner {
  private state: number = State.size;
  private digits = 0;
  private size = 0;
  private extension: number = ExtensionState.nameStart;
  private extensionBytes = 0;
  private trailerBytes = 0;
  /** Bytes of data so far, framing left out. */
  dataBytes = 0;
  /** Whether `scan` stops between framing and data, so that its caller can tell them apart. */
  splits = false;
  /** With `splits`: what the last `scan` took was data. */
  tookData = false;

  /** Begins a body; with `splits`, `scan` takes either framing or data at a time. */
  reset(splits = false): void {
    this.splits = splits;
    this.tookData = false;
    this.dataBytes = 0;
    this.state = State.size;
    this.digits = 0;
    this.size = 0;
    this.extensionBytes = 0;
    this.trailerBytes = 0;
  }

  get isDone(): boolean {
    return this.state === State.done;
  }

  /** The last chunk's line is behind us: what follows up to the end are trailers, which are not forwarded. */
  get isInTrailers(): boolean {
    return this.state >= State.trailerStart && this.state !== State.done;
  }

  /**
   * Looks at `buffer[start, end)`. Returns the position behind what it took: `end`, or the body's end where `isDone`, or
   * the start of the trailers where `isInTrailers` has just become true; `chunkError` where the framing is wrong.
   */
  scan(buffer: Uint8Array, start: number, end: number): number {
    let i = start;
    this.tookData = false;
    while (i < end) {
      const byte = buffer[i]!;
      switch (this.state) {
        case State.size: {
          const digit = hexadecimal(byte);
          if (digit >= 0) {
            if (++this.digits > maxSizeDigits) return chunkError;
            this.size = this.size * 16 + digit;
          } else if (this.digits === 0) return chunkError;
          else if (byte === CR) this.state = State.sizeLineFeed;
          else if (byte === 0x3b) {
            this.state = State.extension;
            this.extension = ExtensionState.nameStart;
          } else return chunkError;
          i++;
          break;
        }
        case State.extension:
          this.extension = nextExtensionState(this.extension, byte);
          if (this.extension === ExtensionState.error || ++this.extensionBytes > maxExtensionBytes)
            return chunkError;
          if (this.extension === ExtensionState.end) this.state = State.sizeLineFeed;
          i++;
          break;
        case State.sizeLineFeed:
          if (byte !== LF) return chunkError;
          i++;
          this.digits = 0;
          if (this.size === 0) {
            this.state = State.trailerStart;
            return i;
          }
          this.state = State.data;
          break;
        case State.data: {
          if (this.splits && i > start) return i;
          const available = end - i;
          const taken = available < this.size ? available : this.size;
          this.size -= taken;
          this.dataBytes += taken;
          i += taken;
          if (this.size === 0) this.state = State.dataCarriageReturn;
          if (this.splits) {
            this.tookData = true;
            return i;
          }
          break;
        }
        case State.dataCarriageReturn:
          if (byte !== CR) return chunkError;
          this.state = State.dataLineFeed;
          i++;
          break;
        case State.dataLineFeed:
          if (byte !== LF) return chunkError;
          this.state = State.size;
          i++;
          break;
        default:
          if (!this.trailerByte(byte)) return chunkError;
          i++;
          if (this.state === State.done) return i;
          break;
      }
    }
    return i;
  }

  private trailerByte(byte: number): boolean {
    if (++this.trailerBytes > maxTrailerBytes) return false;
    switch (this.state) {
      case State.trailerStart:
        if (byte === CR) this.state = State.lastLineFeed;
        else if (isTokenCharacter[byte] === 1) this.state = State.trailerName;
        else return false;
        return true;
      case State.trailerName:
        if (byte === 0x3a) this.state = State.trailerValue;
        else if (isTokenCharacter[byte] !== 1) return false;
        return true;
      case State.trailerValue:
        if (byte === CR) this.state = State.trailerLineFeed;
        else if (isFieldValueCharacter[byte] !== 1) return false;
        return true;
      case State.trailerLineFeed:
        this.state = State.trailerStart;
        return byte === LF;
      case State.lastLineFeed:
        this.state = State.done;
        return byte === LF;
      default:
        return false;
    }
  }
}

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
