/** Shorter strings are always copied when they are cut out of others. */
const shortestSlice = 13;

/**
 * The same text in memory of its own. What was cut out of a string keeps the whole of it in memory, a head of 60 KiB for one
 * value of it: for text that is kept longer than what it came in.
 */
export function detachedText(text: string): string {
  if (text.length < shortestSlice) return text;
  const copy = Buffer.from(text, 'latin1').toString('latin1');
  // Text that isn't bytes comes from no peer.
  return copy === text ? copy : text;
}
