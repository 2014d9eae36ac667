import { createHash } from 'node:crypto';
import type { SeededRandom } from '@heddle/testkit';

/** Bytes without repetitions, so that a lost, doubled or swapped piece shows in the hash. */
export function drawBody(random: SeededRandom, sizeBytes: number): Buffer {
  const body = Buffer.allocUnsafe(sizeBytes);
  let word = random.uint32();
  for (let index = 0; index < sizeBytes; index++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    body[index] = word >>> 24;
  }
  return body;
}

/** As log lines show it: enough of a SHA-256 to tell bodies apart. */
export function bodyHash(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16);
}

/** One chunk of a chunked body (RFC 9112 §7.1); an empty one ends it. */
export function chunk(piece: Uint8Array): Buffer {
  const size = Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1');
  return Buffer.concat([size, piece, Buffer.from('\r\n', 'latin1')]);
}

/** The content of a chunked body that came with its framing; written anew here, to judge the proxy's own scanner. */
export function joinChunks(framed: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = framed.indexOf('\r\n', position, 'latin1');
    if (lineEnd < 0) throw new Error('the chunked body ends within a size line');
    const size = Number.parseInt(framed.toString('latin1', position, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('the chunked body has a size line without a size');
    const start = lineEnd + 2;
    if (size === 0) return Buffer.concat(pieces);
    if (start + size + 2 > framed.length) throw new Error('the chunked body ends within a chunk');
    pieces.push(framed.subarray(start, start + size));
    position = start + size + 2;
  }
}
