// Hot path.
// Finds server name and protocols in a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301) without any cryptography:
// across records and reads, remembering only the message itself.
import { InspectResult } from './inspect-result.ts';
import { readClientHello } from './client-hello.ts';

const handshakeHeaderBytes = 4;
const maxRecordBytes = 16_384;
/** Envoy's limit on a ClientHello. */
const maxHelloBytes = 16_384;
const handshakeRecord = 22;
const clientHelloMessage = 1;

const noBytes = Buffer.alloc(0);
const noProtocols: readonly string[] = Object.freeze([]);

export class TlsHelloScanner {
  /** Lower-case; empty where the client named none. */
  serverName = '';
  /** In the client's order. */
  applicationProtocols: readonly string[] = noProtocols;

  /** The handshake message so far, header included, out of its records. */
  private message: Buffer = noBytes;
  private messageLength = 0;
  /** Its length, once its header is there. */
  private expectedLength = -1;
  private headerBytes = 0;
  private recordLength = 0;
  /** Bytes of the current record that are still to come. */
  private recordLeft = 0;
  private result: InspectResult = InspectResult.needMore;

  /** Takes the bytes that follow those of the last call. */
  scan(buffer: Buffer, start: number, end: number): InspectResult {
    let at = start;
    while (at < end && this.result === InspectResult.needMore) {
      if (this.recordLeft === 0) {
        this.result = this.takeHeaderByte(buffer[at]!);
        at++;
        continue;
      }
      const taken = Math.min(end - at, this.recordLeft);
      this.recordLeft -= taken;
      this.result = this.takeMessage(buffer, at, at + taken);
      at += taken;
    }
    if (this.result !== InspectResult.needMore) this.message = noBytes;
    return this.result;
  }

  private takeHeaderByte(byte: number): InspectResult {
    switch (this.headerBytes++) {
      case 0:
        return byte === handshakeRecord ? InspectResult.needMore : InspectResult.notFound;
      case 1:
        // SSL 3.0 and everything since; the minor version says nothing (RFC 8446 §5.1).
        return byte === 3 ? InspectResult.needMore : InspectResult.notFound;
      case 2:
        return byte <= 4 ? InspectResult.needMore : InspectResult.notFound;
      case 3:
        this.recordLength = byte << 8;
        return InspectResult.needMore;
      default:
        this.recordLength |= byte;
        this.headerBytes = 0;
        this.recordLeft = this.recordLength;
        // Handshake records must not be empty (RFC 8446 §5.1).
        return this.recordLength === 0 || this.recordLength > maxRecordBytes
          ? InspectResult.notFound
          : InspectResult.needMore;
    }
  }

  private takeMessage(buffer: Buffer, start: number, end: number): InspectResult {
    this.keep(buffer, start, end);
    const { message } = this;
    if (message[0] !== clientHelloMessage) return InspectResult.notFound;
    if (this.messageLength < handshakeHeaderBytes) return InspectResult.needMore;
    if (this.expectedLength < 0) {
      this.expectedLength = handshakeHeaderBytes + ((message[1]! << 16) | (message[2]! << 8) | message[3]!);
      if (this.expectedLength > maxHelloBytes) return InspectResult.tooLarge;
    }
    if (this.messageLength < this.expectedLength) return InspectResult.needMore;
    // A second message in the same record: a client sends nothing before it has an answer.
    if (this.messageLength > this.expectedLength || this.recordLeft > 0) return InspectResult.notFound;
    const hello = readClientHello(message, handshakeHeaderBytes, this.expectedLength);
    if (hello === null) return InspectResult.notFound;
    this.serverName = hello.serverName;
    this.applicationProtocols = hello.applicationProtocols;
    return InspectResult.found;
  }

  private keep(buffer: Buffer, start: number, end: number): void {
    const needed = this.messageLength + end - start;
    if (needed > this.message.length) {
      const size = Math.max(needed, this.message.length * 2, 512, this.expectedLength);
      const larger = Buffer.allocUnsafe(size);
      this.message.copy(larger, 0, 0, this.messageLength);
      this.message = larger;
    }
    buffer.copy(this.message, this.messageLength, start, end);
    this.messageLength = needed;
  }
}
