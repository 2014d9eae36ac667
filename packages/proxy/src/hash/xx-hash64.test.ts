import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hash64 } from './hash64.ts';
import { xxHash64 } from './xx-hash64.ts';

const mask = 0xffff_ffff_ffff_ffffn;
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;

/** The algorithm as it is written down, on numbers of any size. */
function written(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text, 'latin1');
  const rotate = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & mask;
  const round = (sum: bigint, input: bigint): bigint => (rotate((sum + input * p2) & mask, 31n) * p1) & mask;
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map((lane) => lane & mask);
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, bytes.readBigUInt64LE(at + 8 * i));
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, i) => (sum + rotate(lanes[i]!, bits)) & mask, 0n);
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * p1 + p4) & mask;
  } else {
    hash = (seed + p5) & mask;
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8)
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4) & mask;
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]!) * p5) & mask), 11n) * p1) & mask;
  hash = ((hash ^ (hash >> 33n)) * p2) & mask;
  hash = ((hash ^ (hash >> 29n)) * p3) & mask;
  return hash ^ (hash >> 32n);
}

const hash = new Hash64();

function hashed(text: string, seed = 0n): bigint {
  xxHash64(text, hash, Number(seed & 0xffff_ffffn), Number(seed >> 32n));
  return (BigInt(hash.high) << 32n) | BigInt(hash.low);
}

test('gives the numbers that xxHash64 is known by', () => {
  assert.equal(hashed('').toString(16), 'ef46db3751d8e999');
  assert.equal(hashed('a').toString(16), 'd24ec4f1a98c6e5b');
  assert.equal(hashed('abc').toString(16), '44bc2cf5ad770999');
});

test('agrees with the algorithm as written, for every length and seed', () => {
  let text = '';
  for (let length = 0; length < 150; length++) {
    for (const seed of [0n, 1n, 0xfedc_ba98_7654_3210n])
      assert.equal(hashed(text, seed), written(text, seed));
    text += String.fromCodePoint((length * 77 + 13) % 256);
  }
});

test('divides by what tables are long', () => {
  for (const divisor of [2, 3, 65_537, 5_000_011]) {
    const value = hashed(`x${divisor}`);
    assert.equal(hash.modulo(divisor), Number(value % BigInt(divisor)));
  }
});
