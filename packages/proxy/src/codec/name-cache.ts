// Hot path.
// The names that were seen of late: a name that comes again is found by its bytes, without a string being made.
import { latin1 } from '../transport/latin1.ts';
import { placeIn, ways } from './cache-set.ts';
import { detachedText } from './detached-text.ts';
import { FieldName } from './field-name.ts';
import {
  equalsBytes,
  equalsTextIgnoringCase,
  hashBytes,
  hashText,
  hashTextIgnoringCase,
} from './text-hash.ts';

/** Longer names are made anew each time. */
const longestHeld = 128;

/**
 * Bounded: a name that finds its places taken drives out one that wasn't used of late. Whoever still holds that one goes
 * on with it; two objects of one name cost speed only.
 */
export class NameCache {
  private readonly places: (FieldName | null)[];
  private readonly hands: Uint8Array;
  private readonly setMask: number;
  private idsGiven = 0;

  /** `sets`: a power of two; it holds 8 names for each. */
  constructor(sets: number) {
    this.places = Array.from({ length: sets * ways }, () => null);
    this.hands = new Uint8Array(sets);
    this.setMask = sets - 1;
  }

  /** The name `bytes[start, end)`, as it stands there. */
  ofBytes(bytes: Buffer, start: number, end: number): FieldName {
    const hash = hashBytes(bytes, start, end);
    const first = (hash & this.setMask) * ways;
    for (let place = first; place < first + ways; place++) {
      const name = this.places[place]!;
      if (name !== null && name.hash === hash && equalsBytes(name.text, bytes, start, end)) return used(name);
    }
    return this.hold(new FieldName(latin1(bytes, start, end), hash));
  }

  /** The name `text`. */
  of(text: string): FieldName {
    const hash = hashText(text, 0, text.length);
    const first = (hash & this.setMask) * ways;
    for (let place = first; place < first + ways; place++) {
      const name = this.places[place]!;
      if (name !== null && name.hash === hash && name.text === text) return used(name);
    }
    return this.hold(new FieldName(detachedText(text), hash));
  }

  /** The name that `text.slice(start, end)` is in small letters. */
  ofLine(text: string, start: number, end: number): FieldName {
    const hash = hashTextIgnoringCase(text, start, end);
    const first = (hash & this.setMask) * ways;
    for (let place = first; place < first + ways; place++) {
      const name = this.places[place]!;
      if (name !== null && name.hash === hash && equalsTextIgnoringCase(name.text, text, start, end)) {
        return used(name);
      }
    }
    return this.hold(new FieldName(detachedText(text.slice(start, end).toLowerCase()), hash));
  }

  private hold(name: FieldName): FieldName {
    if (name.text.length > longestHeld) return name;
    const place = placeIn(this.places, this.hands, name.hash & this.setMask, 0);
    const evicted = this.places[place]!;
    if (evicted === null) {
      name.id = this.idsGiven++;
    } else {
      name.id = evicted.id;
      evicted.id = -1;
    }
    this.places[place] = name;
    return name;
  }
}

function used(name: FieldName): FieldName {
  name.wasUsed = true;
  name.isRepeated = true;
  return name;
}

/** The names of this thread. */
export const fieldNameCache = new NameCache(64);
