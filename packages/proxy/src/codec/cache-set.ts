// Both caches are sets of 8 places: what is looked for is in the places of the set that its hash chooses, or nowhere. No
// input makes a search longer, and none costs more than what shares its set.

/** Places of a set. */
export const ways = 8;

/** What a cache holds. */
export interface Held {
  readonly id: number;
  /** Used since the hand passed. */
  wasUsed: boolean;
}

/**
 * The place of a set for something new: a free one, or the next that the set's hand finds whose occupant wasn't used since
 * the hand passed it the last time (the CLOCK algorithm). Occupants with an id below `pinned` stay; -1 where all are such.
 */
export function placeIn(
  places: readonly (Held | null)[],
  hands: Uint8Array,
  set: number,
  pinned: number,
): number {
  const first = set * ways;
  for (let place = first; place < first + ways; place++) if (places[place] === null) return place;
  for (let step = 0; step < 2 * ways; step++) {
    const place = first + hands[set]!;
    hands[set] = (hands[set]! + 1) % ways;
    const occupant = places[place]!;
    if (occupant.id < pinned) continue;
    if (!occupant.wasUsed) return place;
    occupant.wasUsed = false;
  }
  return -1;
}
