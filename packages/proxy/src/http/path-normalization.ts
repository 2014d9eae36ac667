// Hot path: a path that needs nothing done costs one scan for suspicious characters and no string.
//
// The order is Envoy's: escaped slashes, then RFC 3986 (dot segments, backslashes, percent-encoded unreserved
// characters), then slashes in a row. What comes out is what is routed and what is forwarded.

/** `path_with_escaped_slashes_action`: what happens to `%2F` and `%5C` in a path. */
export const EscapedSlashes = { keep: 0, reject: 1, redirect: 2, forward: 3 } as const;

/** What an HTTP connection manager does to paths. */
export interface PathRules {
  /** `normalize_path`. */
  readonly normalizes: boolean;
  /** `merge_slashes`. */
  readonly mergesSlashes: boolean;
  /** One of `EscapedSlashes`. */
  readonly escapedSlashes: number;
}

/** What `normalizePath` found. */
export const PathVerdict = {
  /** The path stays, or was made a better one. */
  ok: 0,
  /** 400. */
  rejected: 1,
  /** 307 to the better path. */
  redirected: 2,
} as const;

const percent = 0x25;
const dot = 0x2e;
const slash = 0x2f;
const semicolon = 0x3b;
const question = 0x3f;
const backslash = 0x5c;

// Characters by what the canonical form does to them.
const plain = 0;
/** `%` and `\`; dots and slashes matter only beside a slash and are looked at apart. */
const suspicious = 1;
/** Written as an escape: `"`, `<`, `>`, `^`, backquote, `{`, `|`, `}`. */
const escaped = 2;
const kinds = new Uint8Array(128);
for (const character of '%\\') kinds[character.charCodeAt(0)] = suspicious;
for (const character of '"<>^`{|}') kinds[character.charCodeAt(0)] = escaped;

/** A request's path after the rules of its listener. One object per connection, filled anew for each request. */
export class NormalizedPath {
  /** Query included. */
  path = '';

  /** Applies `rules` to the origin form `target`; anything else (`*`) passes as it is. Returns a `PathVerdict`. */
  apply(target: string, rules: PathRules): number {
    this.path = target;
    if (target.charCodeAt(0) !== slash) return PathVerdict.ok;
    return needsCloserLook(target) ? this.applyClosely(target, rules) : PathVerdict.ok;
  }

  private applyClosely(target: string, rules: PathRules): number {
    const question = target.indexOf('?');
    const query = question < 0 ? '' : target.slice(question);
    let path = question < 0 ? target : target.slice(0, question);
    let verdict: number = PathVerdict.ok;
    if (rules.escapedSlashes !== EscapedSlashes.keep && escapedSlash.test(path)) {
      if (rules.escapedSlashes === EscapedSlashes.reject) return PathVerdict.rejected;
      path = path.replace(escapedSlashes, (escape) => (escape.charCodeAt(1) === 0x32 ? '/' : '\\'));
      if (rules.escapedSlashes === EscapedSlashes.redirect) verdict = PathVerdict.redirected;
    }
    if (rules.normalizes) {
      const canonical = canonicalPath(path);
      if (canonical === null) return PathVerdict.rejected;
      path = canonical;
    }
    if (rules.mergesSlashes && path.includes('//')) path = mergedSlashes(path);
    this.path = path + query;
    return verdict;
  }
}

const escapedSlash = /%(?:2f|5c)/i;
const escapedSlashes = /%(?:2f|5c)/gi;

/** Whether some rule might change the path; its query doesn't matter. */
function needsCloserLook(target: string): boolean {
  let previous = 0;
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === question) return false;
    // A dot matters at a segment's start, a slash after a slash; two dots in a name are common and harmless.
    if (previous === slash && (code === dot || code === slash)) return true;
    if (code >= 128 || kinds[code] !== plain) return true;
    previous = code;
  }
  return false;
}

/** Runs of slashes made one, as Envoy does it: of nothing but slashes two are left. */
function mergedSlashes(path: string): string {
  const inner = path.split('/').filter((segment) => segment !== '');
  return `/${inner.join('/')}${path.endsWith('/') ? '/' : ''}`;
}

const hexDigits = '0123456789ABCDEF';

/** The value of a hexadecimal digit, or -1. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The byte that `%XX` at `at` stands for, or -1 where there is no escape. */
function escapeAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== percent || at + 2 >= text.length) return -1;
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** RFC 3986 §2.3: characters that mean the same with and without escape. */
function isUnreserved(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === dot ||
    code === 0x5f ||
    code === 0x7e
  );
}

/** The canonical form of a path without query, or null where it holds an escaped NUL. */
function canonicalPath(path: string): string | null {
  const decoded = decodedPath(path);
  return decoded === null ? null : withoutDotSegments(decoded);
}

/** `\` made `/`, unreserved characters unescaped, others escaped; null for `%00`. */
function decodedPath(path: string): string | null {
  let out = '';
  let loosePercents: number[] | null = null;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === percent) {
      const value = escapeAt(path, i);
      if (value === 0) return null;
      if (value < 0) {
        loosePercents ??= [];
        loosePercents.push(out.length);
        out += '%';
        continue;
      }
      out += isUnreserved(value) ? String.fromCharCode(value) : path.slice(i, i + 3);
      i += 2;
    } else if (code === backslash) {
      out += '/';
    } else if (code >= 128 || kinds[code] === escaped) {
      out += `%${hexDigits[code >> 4]}${hexDigits[code & 15]}`;
    } else {
      out += path[i];
    }
  }
  if (loosePercents === null) return out;
  // A `%` that was no escape must not become one because what follows it was decoded: `%%34%31` is not `%41`.
  for (let i = loosePercents.length - 1; i >= 0; i--) {
    const at = loosePercents[i]!;
    if (escapeAt(out, at) >= 0) out = `${out.slice(0, at)}%25${out.slice(at + 1)}`;
  }
  return out;
}

/**
 * Removes dot segments (RFC 3986 §5.2.4). A segment `..;parameter` counts as `..`: that is how servers of Java take it,
 * and what they would climb out of must not be hidden from the routes.
 */
function withoutDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const segments = path.split('/');
  const kept: string[] = [''];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!;
    const isLast = i === segments.length - 1;
    const dots = dotsOf(segment);
    if (dots === 0) {
      kept.push(segment);
      continue;
    }
    if (dots === 2 && kept.length > 1) kept.pop();
    if (isLast) kept.push('');
  }
  return kept.join('/');
}

/** 1 for `.`, 2 for `..`, each with or without parameters; 0 for any other segment. */
function dotsOf(segment: string): number {
  if (segment.charCodeAt(0) !== dot) return 0;
  const second = segment.charCodeAt(1);
  if (segment.length === 1 || second === semicolon) return 1;
  if (second !== dot) return 0;
  return segment.length === 2 || segment.charCodeAt(2) === semicolon ? 2 : 0;
}
