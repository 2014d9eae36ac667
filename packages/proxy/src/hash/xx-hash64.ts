// Hot path.
// xxHash64 over pairs of 32-bit numbers: nothing is allocated. Texts are bytes, one latin1 character each.
import type { Hash64 } from './hash64.ts';

/** The five primes, high and low halves. */
const h1 = 0x9e3779b1;
const l1 = 0x85ebca87;
const h2 = 0xc2b2ae3d;
const l2 = 0x27d4eb4f;
const h3 = 0x165667b1;
const l3 = 0x9e3779f9;
const h4 = 0x85ebca77;
const l4 = 0xc2b2ae63;
const h5 = 0x27d4eb2f;
const l5 = 0x165667c5;

/** The number that is worked on. */
let high = 0;
let low = 0;

const laneHigh = new Uint32Array(4);
const laneLow = new Uint32Array(4);

/** Hashes a text into `out`; the seed has 64 bits, too. */
export function xxHash64(text: string, out: Hash64, seedLow = 0, seedHigh = 0): void {
  const { length } = text;
  let at = 0;
  if (length >= 32) {
    at = hashLanes(text, seedHigh, seedLow);
  } else {
    high = h5;
    low = l5;
    add(seedHigh, seedLow);
  }
  add(0, length);
  for (; at + 8 <= length; at += 8) {
    const savedHigh = high;
    const savedLow = low;
    high = 0;
    low = 0;
    round(word(text, at + 4), word(text, at));
    high ^= savedHigh;
    low ^= savedLow;
    rotate(27);
    multiply(h1, l1);
    add(h4, l4);
  }
  if (at + 4 <= length) {
    const savedHigh = high;
    const savedLow = low;
    high = 0;
    low = word(text, at);
    multiply(h1, l1);
    high ^= savedHigh;
    low ^= savedLow;
    rotate(23);
    multiply(h2, l2);
    add(h3, l3);
    at += 4;
  }
  for (; at < length; at++) {
    const savedHigh = high;
    const savedLow = low;
    high = 0;
    low = text.charCodeAt(at) & 0xff;
    multiply(h5, l5);
    high ^= savedHigh;
    low ^= savedLow;
    rotate(11);
    multiply(h1, l1);
  }
  shiftXor(33);
  multiply(h2, l2);
  shiftXor(29);
  multiply(h3, l3);
  low ^= high;
  out.set(high, low);
}

/** The part of a long text that four lanes share; returns where it ends. */
function hashLanes(text: string, seedHigh: number, seedLow: number): number {
  begin(0, h1, l1, seedHigh, seedLow);
  high = laneHigh[0]!;
  low = laneLow[0]!;
  add(h2, l2);
  laneHigh[0] = high;
  laneLow[0] = low;
  begin(1, h2, l2, seedHigh, seedLow);
  begin(2, 0, 0, seedHigh, seedLow);
  // The first prime is taken away: its complement and one are added.
  begin(3, ~h1, ~l1, seedHigh, seedLow);
  high = laneHigh[3]!;
  low = laneLow[3]!;
  add(0, 1);
  laneHigh[3] = high;
  laneLow[3] = low;
  let at = 0;
  for (; at + 32 <= text.length; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      high = laneHigh[lane]!;
      low = laneLow[lane]!;
      round(word(text, at + 8 * lane + 4), word(text, at + 8 * lane));
      laneHigh[lane] = high;
      laneLow[lane] = low;
    }
  }
  let sumHigh = 0;
  let sumLow = 0;
  for (let lane = 0; lane < 4; lane++) {
    high = laneHigh[lane]!;
    low = laneLow[lane]!;
    rotate(lane === 0 ? 1 : lane === 1 ? 7 : lane === 2 ? 12 : 18);
    add(sumHigh, sumLow);
    sumHigh = high;
    sumLow = low;
  }
  for (let lane = 0; lane < 4; lane++) {
    high = 0;
    low = 0;
    round(laneHigh[lane]!, laneLow[lane]!);
    high ^= sumHigh;
    low ^= sumLow;
    multiply(h1, l1);
    add(h4, l4);
    sumHigh = high;
    sumLow = low;
  }
  return at;
}

function begin(lane: number, startHigh: number, startLow: number, seedHigh: number, seedLow: number): void {
  high = startHigh;
  low = startLow;
  add(seedHigh, seedLow);
  laneHigh[lane] = high;
  laneLow[lane] = low;
}

/** Takes eight bytes in. */
function round(inputHigh: number, inputLow: number): void {
  const savedHigh = high;
  const savedLow = low;
  high = inputHigh;
  low = inputLow;
  multiply(h2, l2);
  add(savedHigh, savedLow);
  rotate(31);
  multiply(h1, l1);
}

/** Four bytes, the least significant first. */
function word(text: string, at: number): number {
  return (
    ((text.charCodeAt(at) & 0xff) |
      ((text.charCodeAt(at + 1) & 0xff) << 8) |
      ((text.charCodeAt(at + 2) & 0xff) << 16) |
      ((text.charCodeAt(at + 3) & 0xff) << 24)) >>>
    0
  );
}

function add(otherHigh: number, otherLow: number): void {
  const sum = (low >>> 0) + (otherLow >>> 0);
  high = (high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  low = sum | 0;
}

function multiply(otherHigh: number, otherLow: number): void {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = otherLow & 0xffff;
  const b1 = otherLow >>> 16;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  const carried = a1 * b1 + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16);
  high = (carried + Math.imul(high, otherLow) + Math.imul(low, otherHigh)) | 0;
  low = (middle << 16) | (p00 & 0xffff);
}

/** To the left, round the end; by less than 32 bits. */
function rotate(bits: number): void {
  const rotated = (high << bits) | (low >>> (32 - bits));
  low = (low << bits) | (high >>> (32 - bits));
  high = rotated;
}

function shiftXor(bits: number): void {
  if (bits >= 32) {
    low ^= high >>> (bits - 32);
    return;
  }
  low ^= (low >>> bits) | (high << (32 - bits));
  high ^= high >>> bits;
}
