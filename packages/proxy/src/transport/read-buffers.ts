// Hot path.
// What plain sockets read into. Reads are synchronous and end with their callback: all sockets share one buffer, and
// 10,000 idle connections own none. A socket through which much flows gets one of its own, which a write that the kernel
// doesn't take at once may hold on to, so that bulk isn't copied.

/** What libuv reads by itself at a time. */
export const readBufferBytes = 64 * 1024;
/** Of a bulk transfer at a time: a quarter of the system calls, and a fifth less CPU. */
const largeBufferBytes = 256 * 1024;
/** More sockets with bulk than that share memory as if it were scarce: 16 MiB in large buffers, then smaller ones. */
const maxLarge = 64;
/** A read of this length tells that more than small messages flows. */
export const bulkReadBytes = 16 * 1024;
/** So many unused large ones are kept for the next bulk: 2 MiB. */
const maxFree = 8;

/** A buffer that one socket reads into, or none any more, and that writes may hold. */
export class ReadBuffer {
  readonly bytes: Buffer;
  /** Writes that still need the bytes, and one for the socket that reads into it. */
  users = 0;
  /** Where the kernel finds the bytes; 0 until an engine that calls it by itself asks. */
  address = 0n;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }
}

/** Read buffers not in use. */
export class ReadBuffers {
  /** Valid until the callback of a read returns; nothing may keep it. */
  readonly shared: Buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  /** Whose bytes are being delivered: a write of them may hold on to the buffer. Null while nobody's are, or shared ones. */
  lender: ReadBuffer | null = null;
  private readonly free: ReadBuffer[] = [];
  private largeInUse = 0;

  /** The buffer for the next read of a socket that has read `length` bytes into `own`, or into the shared one where null. */
  next(own: ReadBuffer | null, length: number): ReadBuffer | null {
    if (own === null) return length < bulkReadBytes ? null : this.take();
    if (length >= bulkReadBytes && own.users === 1) return own;
    this.release(own);
    return length < bulkReadBytes ? null : this.take();
  }

  release(buffer: ReadBuffer): void {
    if (--buffer.users > 0 || buffer.bytes.length < largeBufferBytes) return;
    this.largeInUse--;
    if (this.free.length < maxFree) this.free.push(buffer);
  }

  private take(): ReadBuffer {
    const isLarge = this.largeInUse < maxLarge;
    if (isLarge) this.largeInUse++;
    const buffer = isLarge
      ? (this.free.pop() ?? new ReadBuffer(largeBufferBytes))
      : new ReadBuffer(readBufferBytes);
    buffer.users = 1;
    return buffer;
  }
}

/** Those of this thread, for the sockets of all engines: only one of them is read at a time. */
export const readBuffers = new ReadBuffers();
