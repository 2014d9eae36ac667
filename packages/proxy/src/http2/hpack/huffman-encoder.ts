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
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = byteAt(text, i);
    const length = codeLengths[byte]!;
    let code = codes[byte]!;
    let rest = length;
    if (length > 24) {
      // With up to 7 bits waiting it would not fit into 32: its upper part goes first.
      rest = length - 16;
      pending = (pending << rest) | (code >>> 16);
      bits += rest;
      while (bits >= 8) {
        bits -= 8;
        out[at++] = pending >>> bits;
      }
      code &= 0xffff;
      rest = 16;
    }
    pending = (pending << rest) | code;
    bits += rest;
    while (bits >= 8) {
      bits -= 8;
      out[at++] = pending >>> bits;
    }
  }
  if (bits > 0) out[at++] = (pending << (8 - bits)) | (0xff >>> bits);
  return at;
}

/**
 * The byte that a character stands for. One that is no byte would become another one if it were cut to 8 bits,
 * in the worst case a line feed: it becomes `?`.
 */
export function byteAt(text: string, index: number): number {
  const character = text.charCodeAt(index);
  return character > 0xff ? 0x3f : character;
}
