// Hot path.
// The fields that are worth keeping: a field that comes again is found by its bytes, without a string or an object being
// made, and is the same object on every connection.
import { latin1 } from '../transport/latin1.ts';
import { placeIn, ways } from './cache-set.ts';
import type { FieldName } from './field-name.ts';
import { Field, NotHeld } from './field.ts';
import { equalsBytes, equalsText, hashBytes, hashText } from './text-hash.ts';

/** Larger fields (`Field.size`) are made anew each time: they cost more memory than they save. */
export const largestHeldField = 1024;

/** How many hashes of fields seen once are remembered. */
const recentHashes = 1024;

/**
 * Bounded, and filled with what repeats only: a field is taken in when it is seen the second time, so that request ids
 * don't drive out what is used all the time. One that finds its places taken drives out one that wasn't used of late;
 * whoever still holds that one goes on with it (its `id` tells).
 */
export class FieldCache {
  private readonly places: (Field | null)[];
  private readonly hashes: Int32Array;
  private readonly hands: Uint8Array;
  private readonly recent = new Int32Array(recentHashes);
  private readonly setMask: number;
  private readonly pinned: number;
  private idsGiven = 0;

  /** `sets`: a power of two; it holds 8 fields for each. `pinned` are never dropped and have the ids from 0 on. */
  constructor(sets: number, pinned: readonly Field[]) {
    this.places = Array.from({ length: sets * ways }, () => null);
    this.hashes = new Int32Array(sets * ways);
    this.hands = new Uint8Array(sets);
    this.setMask = sets - 1;
    this.pinned = pinned.length;
    for (const field of pinned) this.hold(field);
  }

  /** The field of this name whose value is `bytes[start, end)`. */
  ofBytes(key: FieldName, bytes: Buffer, start: number, end: number): Field {
    if (key.text.length + end - start + 32 > largestHeldField)
      return new Field(key, latin1(bytes, start, end));
    const hash = hashBytes(bytes, start, end, key.hash);
    const first = (hash & this.setMask) * ways;
    for (let place = first; place < first + ways; place++) {
      if (this.hashes[place] !== hash) continue;
      const field = this.places[place]!;
      if (isNamed(field, key) && equalsBytes(field.value, bytes, start, end)) return used(field);
    }
    return this.made(new Field(key, latin1(bytes, start, end)), hash);
  }

  /** The field of this name whose value is `text.slice(start, end)`. */
  ofText(key: FieldName, text: string, start: number, end: number): Field {
    if (key.text.length + end - start + 32 > largestHeldField) return new Field(key, text.slice(start, end));
    const hash = hashText(text, start, end, key.hash);
    const held = this.find(key, text, start, end, hash);
    return held ?? this.made(new Field(key, text.slice(start, end)), hash);
  }

  /** The field that is held for one that was made without asking here; itself where none is, to be held the next time. */
  of(field: Field): Field {
    if (field.size > largestHeldField || field.id === NotHeld.never) return field;
    const { key, value } = field;
    const hash = hashText(value, 0, value.length, key.hash);
    return this.find(key, value, 0, value.length, hash) ?? this.made(field, hash);
  }

  /**
   * The field that is held for one that repeats: itself, taken in now, or one that equals it. It isn't held afterwards (its
   * `id` says so) where it is too large.
   */
  hold(field: Field): Field {
    if (field.size > largestHeldField || field.id === NotHeld.never) return field;
    const { key, value } = field;
    if (field.hash === 0) field.hash = hashText(value, 0, value.length, key.hash);
    const equal = this.find(key, value, 0, value.length, field.hash);
    if (equal !== null) return equal;
    const place = placeIn(this.places, this.hands, field.hash & this.setMask, this.pinned);
    if (place < 0) return field;
    field.detach();
    const evicted = this.places[place]!;
    if (evicted === null) {
      field.id = this.idsGiven++;
    } else {
      field.id = evicted.id;
      evicted.id = NotHeld.seen;
    }
    this.places[place] = field;
    this.hashes[place] = field.hash;
    return field;
  }

  private find(key: FieldName, text: string, start: number, end: number, hash: number): Field | null {
    const first = (hash & this.setMask) * ways;
    for (let place = first; place < first + ways; place++) {
      if (this.hashes[place] !== hash) continue;
      const field = this.places[place]!;
      if (isNamed(field, key) && equalsText(field.value, text, start, end)) return used(field);
    }
    return null;
  }

  /** Takes a new field in if something of its hash was seen of late. */
  private made(field: Field, hash: number): Field {
    field.hash = hash;
    const at = hash & (recentHashes - 1);
    if (this.recent[at] === hash) return this.hold(field);
    this.recent[at] = hash;
    return field;
  }
}

function isNamed(field: Field | null, key: FieldName): field is Field {
  return field !== null && (field.key === key || field.key.text === key.text);
}

function used(field: Field): Field {
  field.wasUsed = true;
  return field;
}
