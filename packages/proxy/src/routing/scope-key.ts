// Hot path: of connection managers whose routes depend on fields of the request.
import type { RequestView } from './request-view.ts';

/** Takes one part of a scope's key out of a field. */
export interface KeyFragment {
  /** Lower case. */
  readonly name: string;
  /** Between elements; empty where the whole value is the only one. */
  readonly elementSeparator: string;
  /** The element at this place; -1 for the value that belongs to `key`. */
  readonly index: number;
  readonly key: string;
  /** Between a key and its value. */
  readonly separator: string;
}

/** What no field can hold stands between the parts of a key. */
const joint = '\n';

/** The key of a scope as it is configured. */
export function scopeKey(parts: readonly string[]): string {
  return parts.join(joint);
}

/** The key that a request has; null where one of its parts is missing. */
export function scopeKeyOf(request: RequestView, fragments: readonly KeyFragment[]): string | null {
  let key = '';
  for (let i = 0; i < fragments.length; i++) {
    const fragment = fragments[i]!;
    const value = request.headerValue(fragment.name, 0);
    const part = value === null ? null : partOf(value, fragment);
    if (part === null) return null;
    key = i === 0 ? part : key + joint + part;
  }
  return key;
}

function partOf(value: string, { elementSeparator, index, key, separator }: KeyFragment): string | null {
  const elements = elementSeparator === '' ? [value] : value.split(elementSeparator);
  if (index >= 0) return elements[index] ?? null;
  for (const element of elements) {
    const at = element.indexOf(separator);
    if (at < 0 ? element === key : element.slice(0, at) === key)
      return at < 0 ? element : element.slice(at + separator.length);
  }
  return null;
}
