// Hot path.
import type { FieldName } from '../../codec/field-name.ts';
import type { Field } from '../../codec/field.ts';

const smallestRing = 16;

/**
 * The dynamic table (RFC 7541 §2.3.2), first in, first out, as a ring:
 *
 *     count:   41   42   43   44   45     the next entry's number: 46
 *     index:    5    4    3    2    1     (behind the static table)
 *            oldest            newest
 *
 * An entry lies at its number modulo the ring's length, and whoever remembers a number finds the entry again, or another
 * one in its place. Numbers wrap around at 32 bits.
 */
export class DynamicTable {
  /** Entries. */
  length = 0;
  /** Bytes as RFC 7541 §4.1 counts them. */
  size = 0;
  maxSize: number;
  private ring: (Field | null)[] = Array.from({ length: smallestRing }, () => null);
  private next = 0;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  /** The entry with this index, from 1 (the newest) to `length`. */
  at(index: number): Field {
    return this.ring[(this.next - index) & (this.ring.length - 1)]!;
  }

  /** Puts a field that equals it in the place of an entry. */
  replace(index: number, field: Field): void {
    this.ring[(this.next - index) & (this.ring.length - 1)] = field;
  }

  /** Adds an entry and drops those for which there is no room any more, itself where it is larger than the table. Returns its number. */
  add(field: Field): number {
    const { size } = field;
    this.evictDownTo(this.maxSize - size);
    if (size > this.maxSize) return this.next;
    if (this.length === this.ring.length) this.grow();
    const number = this.next;
    this.ring[number & (this.ring.length - 1)] = field;
    this.next = (number + 1) | 0;
    this.length++;
    this.size += size;
    return number;
  }

  /** Sets the largest size, and drops what is over it. */
  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.evictDownTo(maxSize);
  }

  /** Drops all entries. */
  clear(): void {
    this.evictDownTo(0);
  }

  /** The index of `field`, if it is the entry with this number; 0 where another one is there by now. */
  indexOf(number: number, field: Field): number {
    const mask = this.ring.length - 1;
    return this.ring[number & mask] === field ? ((this.next - 1 - number) & mask) + 1 : 0;
  }

  /** The same for an entry with this name. */
  indexOfName(number: number, name: FieldName): number {
    const mask = this.ring.length - 1;
    const entry = this.ring[number & mask]!;
    return entry !== null && entry.key === name ? ((this.next - 1 - number) & mask) + 1 : 0;
  }

  private evictDownTo(size: number): void {
    const mask = this.ring.length - 1;
    while (this.length > 0 && this.size > size) {
      const oldest = (this.next - this.length) & mask;
      this.size -= this.ring[oldest]!.size;
      this.ring[oldest] = null;
      this.length--;
    }
  }

  private grow(): void {
    const larger: (Field | null)[] = Array.from({ length: this.ring.length * 2 }, () => null);
    for (let index = 1; index <= this.length; index++) {
      larger[(this.next - index) & (larger.length - 1)] = this.at(index);
    }
    this.ring = larger;
  }
}
