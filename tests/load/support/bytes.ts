// Bodies that are told apart from any other: every block has its number, so nothing can be lost, doubled or moved unseen.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** No multiple of anything that a buffer is long. */
const blockBytes = 61_441;
const pattern = randomBytes(blockBytes);

/** Bytes that are `repeated` again and again. */
function* repeat(repeated: Buffer, total: number): Generator<Buffer> {
  for (let sent = 0; sent < total; sent += repeated.length) {
    yield total - sent < repeated.length ? repeated.subarray(0, total - sent) : repeated;
  }
}

function* blocks(total: number): Generator<Buffer> {
  for (let sent = 0, number = 0; sent < total; sent += blockBytes, number++) {
    const block = Buffer.from(pattern.subarray(0, Math.min(blockBytes, total - sent)));
    if (block.length >= 4) block.writeUInt32BE(number);
    yield block;
  }
}

/** A body on its way into a stream, written as fast as it is taken. */
export class BodyWriter {
  /** Bytes that the stream has taken. */
  taken = 0;
  /** Settled once all is written and the stream is told that it ends. */
  readonly done: Promise<void>;

  /** Sends `repeated` again and again where it is given. */
  constructor(stream: Writable, total: number, repeated: Buffer | null = null) {
    this.done = this.write(stream, repeated === null ? blocks(total) : repeat(repeated, total));
  }

  private async write(stream: Writable, body: Iterable<Buffer>): Promise<void> {
    for (const block of body) {
      this.taken += block.length;
      if (!stream.write(block)) await once(stream, 'drain');
    }
    stream.end();
  }
}

/** What the hash of a body is. */
export function hashOfBody(total: number): string {
  const hash = createHash('sha256');
  for (const block of blocks(total)) hash.update(block);
  return hash.digest('hex');
}

/** Reads to the end. */
export async function readHash(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

const lookMs = 50;
const equalLooks = 5;

/**
 * Waits until a number has grown and does not any more, such as the bytes that a socket has taken while nobody reads them
 * at the far end. Gives the number.
 */
export async function standstill(what: string, read: () => number, timeoutMs = 30_000): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  let last = 0;
  for (let looks = 0; looks < equalLooks;) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what} stands still`);
    await new Promise((resolve) => {
      setTimeout(resolve, lookMs);
    });
    const now = read();
    looks = now > 0 && now === last ? looks + 1 : 0;
    last = now;
  }
  return last;
}
