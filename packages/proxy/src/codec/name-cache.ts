// Hot path.
// The names that were seen of late: a name that comes again is found by its bytes, without a string being made.
import { latin1 } from '../transport/latin1.ts';
import { FieldName } from './field-name.ts';
import { equalsBytes, hashBytes, hashText } from './text-hash.ts';

/** Places that a hash leaves open: what is looked for is in one of these, or nowhere. */
const ways = 8;

/** Longer names are made anew each time. */
const longestHeld = 128;

/**
 * Bounded: a name that finds its places taken drives out one that wasn't used of late. Whoever still holds that one goes
 * on with it; two objects of one name cost speed only.
 */
export class NameCache {
  private readonly places: (FieldName | null)[];
  private readonly setMask: number;
  private idsGiven = 0;

  /** `sets`: a power of two; it holds 8 names for each. */
  constructor(sets: number) {
    this.places = Array.from({ length: sets * ways }, () => null);
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
    return this.hold(new FieldName(latin1(bytes, start, end), hash), first);
  }

  /** The name `text`. */
  of(text: string): FieldName {
    const hash = hashText(text);
    const first = (hash & this.setMask) * ways;
    for (let place = first; place < first + ways; place++) {
      const name = this.places[place]!;
      if (name !== null && name.hash === hash && name.text === text) return used(name);
    }
    return this.hold(new FieldName(text, hash), first);
  }

  private hold(name: FieldName, first: number): FieldName {
    if (name.text.length > longestHeld) return name;
    const place = this.placeFor(first);
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

  /** A free place, or that of a name not used since all others were. */
  private placeFor(first: number): number {
    let unused = -1;
    for (let place = first + ways - 1; place >= first; place--) {
      const name = this.places[place]!;
      if (name === null) return place;
      if (!name.wasUsed) unused = place;
    }
    if (unused >= 0) return unused;
    for (let place = first; place < first + ways; place++) this.places[place]!.wasUsed = false;
    return first;
  }
}

function used(name: FieldName): FieldName {
  name.wasUsed = true;
  name.isRepeated = true;
  return name;
}

/** The names of this thread. */
export const fieldNameCache = new NameCache(64);
