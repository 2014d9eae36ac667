/**
 * Edit distance (optimal string alignment: two letters swapped count once, the commonest slip of all), `limit + 1` where
 * the lengths alone put it beyond `limit`.
 */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) least = Math.min(least, beforePrevious[j - 2]! + 1);
      current.push(least);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/**
 * The known name that a mistyped one most likely meant: for "unknown field 'wieght', did you mean 'weight'?".
 * Case is ignored. At most a third of the letters of the shorter name may differ, at least one of them but never all:
 * a wrong suggestion costs more than none. Callers leave out what all names share, such as a domain or an extension.
 */
export function nearestName(unknown: string, known: Iterable<string>): string | undefined {
  const wanted = unknown.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const shorter = Math.min(wanted.length, name.length);
    const limit = Math.max(1, Math.floor(shorter / 3));
    const d = distance(wanted, name.toLowerCase(), limit);
    if (d <= limit && d < shorter && d < bestDistance) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}
