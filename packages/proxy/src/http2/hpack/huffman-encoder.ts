// Hot path.
import { codeLengths, codes } from './huffman-code.ts';

/** Bytes that `text` takes in Huffman code (RFC 7541 §5.2). One character stands for one byte. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += codeLengths[byteAt(text, i)]!;
  return (bits + 7) >>> 3;
}

/** Writes `text` in Huffman code to `out` at `at`, padded with the first bits of EOS. Returns the position behind it. */
export function writeHuffman(text: string, out: Uint8Array, at: number): number {
  let position = at;
  // Fewer than 16 bits wait in the low end of `pending`.
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = byteAt(text, i);
    let length = codeLengths[byte]!;
    let code = codes[byte]!;
    if (length > 15) {
      // With what waits it would not fit into 32 bits: its upper part goes first.
      length -= 15;
      pending = (pending << length) | (code >>> 15);
      bits += length;
      if (bits >= 16) {
        bits -= 16;
        out[position++] = pending >>> (bits + 8);
        out[position++] = pending >>> bits;
      }
      code &= 0x7fff;
      length = 15;
    }
    pending = (pending << length) | code;
    bits += length;
    if (bits >= 16) {
      bits -= 16;
      out[position++] = pending >>> (bits + 8);
      out[position++] = pending >>> bits;
    }
  }
  if (bits >= 8) {
    bits -= 8;
    out[position++] = pending >>> bits;
  }
  if (bits > 0) out[position++] = (pending << (8 - bits)) | (0xff >>> bits);
  return position;
}

/**
 * The byte that a character stands for. One that is no byte would become another one if it were cut to 8 bits,
 * in the worst case a line feed: it becomes `?`.
 */
export function byteAt(text: string, index: number): number {
  const character = text.charCodeAt(index);
  return character > 0xff ? 0x3f : character;
}
