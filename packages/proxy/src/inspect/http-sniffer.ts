// Hot path.
// Tells HTTP/1 and HTTP/2 from everything else by a connection's first line: the request line (RFC 9112 §3) or HTTP/2's
// preface (RFC 9113 §3.4). Only a guess for choosing a filter chain: the codec judges the request.
import { InspectResult } from './inspect-result.ts';

/** Longest request line that is looked at. */
const maxLineBytes = 8192;
const maxMethodBytes = 32;
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const versionStart = Buffer.from('HTTP/1.', 'latin1');

const State = { start: 0, method: 1, target: 2, version: 3, lineFeed: 4 } as const;

const [space, carriageReturn, lineFeed] = [0x20, 0x0d, 0x0a];

export class HttpSniffer {
  /** `http/1.1`, `http/1.0` or `h2c`, once found. */
  protocol = '';

  private state: number = State.start;
  private lineLength = 0;
  /** Bytes of HTTP/2's preface seen so far; -1 once it is something else. */
  private prefaceLength = 0;
  private partLength = 0;
  private minorVersion = -1;
  private result: InspectResult = InspectResult.needMore;

  /** Takes the bytes that follow those of the last call. */
  scan(buffer: Buffer, start: number, end: number): InspectResult {
    for (let at = start; at < end && this.result === InspectResult.needMore; at++) {
      this.result = this.take(buffer[at]!);
    }
    return this.result;
  }

  private take(byte: number): InspectResult {
    if (this.prefaceLength >= 0) {
      if (byte === preface[this.prefaceLength]) {
        this.prefaceLength++;
        if (this.prefaceLength < preface.length) return InspectResult.needMore;
        this.protocol = 'h2c';
        return InspectResult.found;
      }
      // A request line that begins like the preface: what was held back for it comes first.
      const held = this.prefaceLength;
      this.prefaceLength = -1;
      for (let index = 0; index < held; index++) {
        const result = this.takeRequestLine(preface[index]!);
        if (result !== InspectResult.needMore) return result;
      }
    }
    return this.takeRequestLine(byte);
  }

  private takeRequestLine(byte: number): InspectResult {
    if (++this.lineLength > maxLineBytes) return InspectResult.notFound;
    switch (this.state) {
      case State.start:
        // An empty line before the request line is skipped (RFC 9112 §2.2).
        if (byte === carriageReturn || byte === lineFeed) return InspectResult.needMore;
        this.state = State.method;
        return this.takeMethod(byte);
      case State.method:
        return this.takeMethod(byte);
      case State.target:
        return this.takeTarget(byte);
      case State.version:
        return this.takeVersion(byte);
      default:
        return byte === lineFeed ? this.finish() : InspectResult.notFound;
    }
  }

  private takeMethod(byte: number): InspectResult {
    if (byte === space) {
      if (this.partLength === 0) return InspectResult.notFound;
      this.partLength = 0;
      this.state = State.target;
      return InspectResult.needMore;
    }
    const isMethod = isTokenByte(byte) && ++this.partLength <= maxMethodBytes;
    return isMethod ? InspectResult.needMore : InspectResult.notFound;
  }

  private takeTarget(byte: number): InspectResult {
    if (byte === space) {
      if (this.partLength === 0) return InspectResult.notFound;
      this.partLength = 0;
      this.state = State.version;
      return InspectResult.needMore;
    }
    this.partLength++;
    return byte > space && byte !== 0x7f ? InspectResult.needMore : InspectResult.notFound;
  }

  private takeVersion(byte: number): InspectResult {
    const index = this.partLength++;
    if (index < versionStart.length) {
      return byte === versionStart[index] ? InspectResult.needMore : InspectResult.notFound;
    }
    if (index === versionStart.length) {
      this.minorVersion = byte - 0x30;
      const isKnown = this.minorVersion === 0 || this.minorVersion === 1;
      return isKnown ? InspectResult.needMore : InspectResult.notFound;
    }
    if (byte === lineFeed) return this.finish();
    if (byte !== carriageReturn) return InspectResult.notFound;
    this.state = State.lineFeed;
    return InspectResult.needMore;
  }

  private finish(): InspectResult {
    this.protocol = this.minorVersion === 0 ? 'http/1.0' : 'http/1.1';
    return InspectResult.found;
  }
}

/** RFC 9110 §5.6.2. */
function isTokenByte(byte: number): boolean {
  const isLetterOrDigit =
    (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39);
  return isLetterOrDigit || tokenMarks.has(byte);
}

const tokenMarks: ReadonlySet<number> = new Set(Buffer.from("!#$%&'*+-.^_`|~", 'latin1'));
