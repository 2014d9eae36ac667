// Hot path.
// Decodes Huffman code 4 bits at a time. Each node inside the code's tree is a state; there are 256 of them, and no code is
// shorter than 5 bits, so that 4 bits end at most one symbol:
//
//     transitions[state * 16 + nibble] = next state | flags | symbol << 16
import { codeLengths, codes, endOfString } from './huffman-code.ts';

const stateMask = 0xff;
/** The nibble has ended a symbol. */
const emits = 0x100;
const emitsShift = 8;
/** EOS has been reached: it stands in no string (RFC 7541 §5.2). */
const fails = 0x200;
/** A string may end here: what is left over is padding, at most 7 bits of ones. */
const accepts = 0x400;

const transitions = buildTransitions();

/**
 * Decodes `bytes[start, end)` to `out` at its start, which has room for `huffmanRoom(end - start)` bytes. Returns how many it
 * has written, or -1 where that is no valid code.
 */
export function readHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let length = 0;
  let entry = accepts;
  let seen = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    // Every nibble writes, and those that end no symbol write over it again: which do is nothing that can be predicted.
    entry = transitions[((entry & stateMask) << 4) | (byte >>> 4)]!;
    out[length] = entry >>> 16;
    length += (entry >>> emitsShift) & 1;
    seen |= entry;
    entry = transitions[((entry & stateMask) << 4) | (byte & 0xf)]!;
    out[length] = entry >>> 16;
    length += (entry >>> emitsShift) & 1;
    seen |= entry;
  }
  return (entry & accepts) === 0 || (seen & fails) !== 0 ? -1 : length;
}

/** Room for what `length` bytes of Huffman code stand for, and one byte more. */
export function huffmanRoom(length: number): number {
  return Math.ceil((length * 8) / 5) + 1;
}

function buildTransitions(): Uint32Array {
  // The tree: the children of node n at 2n and 2n + 1; -1 - symbol for a leaf.
  const children: number[] = [0, 0];
  for (let symbol = 0; symbol <= endOfString; symbol++) {
    let node = 0;
    for (let bit = codeLengths[symbol]! - 1; bit >= 0; bit--) {
      const branch = node * 2 + ((codes[symbol]! >>> bit) & 1);
      if (bit === 0) children[branch] = -1 - symbol;
      else {
        if (children[branch] === 0) {
          children[branch] = children.length / 2;
          children.push(0, 0);
        }
        node = children[branch]!;
      }
    }
  }
  const padding = new Set<number>();
  for (let node = 0, ones = 0; ones < 8; node = children[node * 2 + 1]!, ones++) padding.add(node);

  const states = children.length / 2;
  const table = new Uint32Array(states * 16);
  for (let state = 0; state < states; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = state;
      let flags = 0;
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[node * 2 + ((nibble >>> bit) & 1)]!;
        node = child < 0 ? 0 : child;
        if (child === -1 - endOfString) flags |= fails;
        else if (child < 0) flags |= emits | ((-1 - child) << 16);
      }
      if (padding.has(node)) flags |= accepts;
      table[state * 16 + nibble] = node | flags;
    }
  }
  return table;
}
