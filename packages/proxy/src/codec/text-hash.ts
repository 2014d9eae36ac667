// Hot path.
// One hash for text that is still bytes and for text that is a string already: FNV-1a, mixed at the end so that all bits
// of the result may choose a place.
const basis = 0x811c9dc5 | 0;
const prime = 0x01000193;

/** The hash of `bytes[start, end)` that stands behind something whose hash is `seed`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let hash = basis ^ seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, prime);
  return mixed(hash);
}

/** The same of `text.slice(start, end)`, where each character stands for a byte. */
export function hashText(text: string, start: number, end: number, seed = 0): number {
  let hash = basis ^ seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime);
  return mixed(hash);
}

/** The same where capitals count as small letters. */
export function hashTextIgnoringCase(text: string, start: number, end: number): number {
  let hash = basis;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ lowerCaseAt(text, i), prime);
  return mixed(hash);
}

/** True where `text` holds the characters that `bytes[start, end)` stand for. */
export function equalsBytes(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
  return true;
}

/** True where `text` is `other.slice(start, end)`. */
export function equalsText(text: string, other: string, start: number, end: number): boolean {
  return text.length === end - start && other.startsWith(text, start);
}

/** True where `text` is `other.slice(start, end)` in small letters. */
export function equalsTextIgnoringCase(text: string, other: string, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== lowerCaseAt(other, i)) return false;
  return true;
}

function lowerCaseAt(text: string, index: number): number {
  const character = text.charCodeAt(index);
  return character >= 0x41 && character <= 0x5a ? character | 0x20 : character;
}

function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return once ^ (once >>> 13);
}
