// Hot path: asked where a response redirects and its route follows redirects itself.

/** Who may be followed where, besides the rules that always hold. */
export interface RedirectPredicates {
  /** No route is gone to twice from one and the same. */
  readonly avoidsPrevious: boolean;
  /** Names of the routes that may be gone to; null for all. */
  readonly allowedRoutes: ReadonlySet<string> | null;
  /** A request that came by http goes to no https. */
  readonly keepsPlain: boolean;
}

/** A route's `internal_redirect_policy`: which redirects the proxy follows itself. */
export interface InternalRedirectPolicy extends RedirectPredicates {
  readonly maxRedirects: number;
  readonly statuses: ReadonlySet<number>;
  readonly allowsCrossScheme: boolean;
  /** Lower-case names of fields that go from the response into the next request. */
  readonly copiedFields: readonly string[];
}

/** Where a `Location` leads. */
export interface RedirectTarget {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** With its query. */
  readonly path: string;
}

const absoluteUrl = /^(https?):\/\/([^/?#\\@]+)([/?][!-"$-~]*)?(?:#\S*)?$/i;

/** Reads an absolute URL; null for anything else, also for what is relative. */
export function parseRedirectTarget(location: string): RedirectTarget | null {
  const parts = absoluteUrl.exec(location);
  if (parts === null) return null;
  const [, scheme = '', authority = '', rest = '/'] = parts;
  if (!isAuthority.test(authority)) return null;
  return {
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    authority,
    path: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

const isAuthority = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~-]+)(?::\d{1,5})?$/;

/** Whether a route's predicates let a request go on; `visited` are the ways it went, this one added. */
export function acceptsTarget(
  policy: RedirectPredicates,
  from: string,
  to: string,
  schemes: { readonly ofRequest: string; readonly ofTarget: string },
  visited: Set<string>,
): boolean {
  if (policy.avoidsPrevious) {
    const way = `${from}\n${to}`;
    if (visited.has(way)) return false;
    visited.add(way);
  }
  if (policy.allowedRoutes !== null && !policy.allowedRoutes.has(to)) return false;
  return !policy.keepsPlain || schemes.ofRequest === 'https' || schemes.ofTarget === 'http';
}
