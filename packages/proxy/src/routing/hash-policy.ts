// Hot path: only of routes whose requests are told apart by a hash.
import { Hash64 } from '../hash/hash64.ts';
import { xxHash64 } from '../hash/xx-hash64.ts';
import type { RequestView } from './request-view.ts';

/** What of a request is hashed. */
export interface HashSource {
  readonly kind: 'header' | 'cookie' | 'source-ip' | 'query-parameter';
  /** Of the field (lower-case), cookie or parameter. */
  readonly name: string;
  /** Where it gives a hash, those behind it are not asked. */
  readonly isTerminal: boolean;
}

/** A route's `hash_policy`. */
export class HashPolicy {
  private readonly sources: readonly HashSource[];
  private readonly one = new Hash64();

  constructor(sources: readonly HashSource[]) {
    this.sources = sources;
  }

  /** Hashes a request into `out`; false where there is nothing to be hashed. */
  hash(request: RequestView, sourceIp: string, out: Hash64): boolean {
    let isFound = false;
    for (const source of this.sources) {
      if (this.hashOne(source, request, sourceIp)) {
        // Turned, so that two of the same don't cancel each other out.
        if (isFound) out.rotate();
        else out.set(0, 0);
        out.xor(this.one);
        isFound = true;
      }
      if (source.isTerminal && isFound) return true;
    }
    return isFound;
  }

  private hashOne({ kind, name }: HashSource, request: RequestView, sourceIp: string): boolean {
    switch (kind) {
      case 'header':
        return this.hashHeader(request, name);
      case 'source-ip':
        return this.hashText(sourceIp === '' ? null : sourceIp);
      case 'cookie':
        return this.hashText(cookieOf(request, name));
      default:
        return this.hashText(parameterOf(request.path, name));
    }
  }

  private hashText(text: string | null): boolean {
    if (text === null) return false;
    xxHash64(text, this.one);
    return true;
  }

  /** Of several fields of the name the values are hashed in their order by alphabet, each with the hash before it. */
  private hashHeader(request: RequestView, name: string): boolean {
    if (name.startsWith(':')) return this.hashText(pseudoHeader(request, name));
    const first = request.headerValue(name, 0);
    if (first === null || request.headerValue(name, 1) === null) return this.hashText(first);
    const values: string[] = [];
    for (let value: string | null = first, i = 1; value !== null; value = request.headerValue(name, i++))
      values.push(value);
    values.sort();
    const { one } = this;
    one.set(0, 0);
    for (const value of values) xxHash64(value, one, one.low, one.high);
    return true;
  }
}

function pseudoHeader(request: RequestView, name: string): string | null {
  switch (name) {
    case ':path':
      return request.path;
    case ':authority':
      return request.authority;
    case ':method':
      return request.method;
    case ':scheme':
      return request.scheme;
    default:
      return null;
  }
}

function cookieOf(request: RequestView, name: string): string | null {
  for (let i = 0; ; i++) {
    const field = request.headerValue('cookie', i);
    if (field === null) return null;
    for (const part of field.split(';')) {
      const equals = part.indexOf('=');
      if (equals < 0 || part.slice(0, equals).trim() !== name) continue;
      const value = part.slice(equals + 1).trim();
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
}

function parameterOf(path: string, name: string): string | null {
  const query = path.indexOf('?');
  if (query < 0) return null;
  const end = path.indexOf('#', query);
  for (const part of path.slice(query + 1, end < 0 ? path.length : end).split('&')) {
    const equals = part.indexOf('=');
    if ((equals < 0 ? part : part.slice(0, equals)) === name) return equals < 0 ? '' : part.slice(equals + 1);
  }
  return null;
}
