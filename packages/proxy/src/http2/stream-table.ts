// Hot path.
import type { Http2Stream } from './http2-stream.ts';

/** Slots of a new connection. */
const fewSlots = 16;
/** Slots that a connection without streams keeps at most: 2 KiB. */
const keptSlots = 256;

/**
 * The open streams of a connection, by their ids. A table of our own, hashed with linear probing: a `Map` through which
 * streams pass by the thousand leaves a chain of outgrown tables behind, each of which keeps all that it ever held from
 * being collected while it is young (a quarter of the CPU of small requests).
 */
export class StreamTable {
  /** A power of two of them, less than half in use: a stream lies at its slot or behind it, with no empty one between. */
  private slots: (Http2Stream | null)[] = emptySlots(fewSlots);
  private count = 0;
  /** What was looked up last is often looked up next. */
  private last: Http2Stream | null = null;

  get size(): number {
    return this.count;
  }

  find(id: number): Http2Stream | null {
    const { last, slots } = this;
    if (last !== null && last.id === id) return last;
    const mask = slots.length - 1;
    for (let at = slotOf(id) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at]!;
      if (stream === null) return null;
      if (stream.id !== id) continue;
      this.last = stream;
      return stream;
    }
  }

  add(stream: Http2Stream): void {
    this.count++;
    if (this.count * 2 > this.slots.length) this.resize(this.slots.length * 2);
    place(this.slots, stream);
    this.last = stream;
  }

  remove(stream: Http2Stream): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let hole = slotOf(stream.id) & mask;
    while (slots[hole] !== stream) hole = (hole + 1) & mask;
    // Those behind the hole that may lie in it move up, so that none is cut off from its slot.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const next = slots[at]!;
      if (next === null) break;
      if (((at - slotOf(next.id)) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = next;
      hole = at;
    }
    slots[hole] = null;
    if (this.last === stream) this.last = null;
    if (--this.count === 0 && slots.length > keptSlots) this.slots = emptySlots(fewSlots);
  }

  /** Those that are open now, in no particular order. */
  all(): Http2Stream[] {
    return this.slots.filter((stream) => stream !== null);
  }

  private resize(length: number): void {
    const slots = emptySlots(length);
    for (const stream of this.all()) place(slots, stream);
    this.slots = slots;
  }
}

/** Where an id belongs. Ids follow each other: side by side they would be one long run, through which each removal has to go. */
function slotOf(id: number): number {
  return Math.imul(id, 0x9e37_79b1) >>> 16;
}

function emptySlots(length: number): (Http2Stream | null)[] {
  return Array.from({ length }, () => null);
}

function place(slots: (Http2Stream | null)[], stream: Http2Stream): void {
  const mask = slots.length - 1;
  let at = slotOf(stream.id) & mask;
  while (slots[at] !== null) at = (at + 1) & mask;
  slots[at] = stream;
}
