// Hot path.
import type { HeaderMatcher } from '../../routing/header-matcher.ts';
import { pathWithoutQuery } from '../../routing/path-matcher.ts';
import type { TextMatcher } from '../../routing/string-matcher.ts';
import type { Connection } from '../../transport/transport.ts';
import type { RbacMatcher, RbacRequest } from './rbac-matcher.ts';

/** `header`. A connection has none; its policies may not ask for one. */
export class RequestHeader implements RbacMatcher {
  readonly matcher: HeaderMatcher;

  constructor(matcher: HeaderMatcher) {
    this.matcher = matcher;
  }

  matches(_connection: Connection, request: RbacRequest | null): boolean {
    return request !== null && this.matcher.matches(request);
  }
}

/** `url_path`: the path that goes on, before the route rewrites it, without its query. CONNECT has none. */
export class RequestPath implements RbacMatcher {
  readonly matcher: TextMatcher;

  constructor(matcher: TextMatcher) {
    this.matcher = matcher;
  }

  matches(_connection: Connection, request: RbacRequest | null): boolean {
    if (request === null || request.path === '') return false;
    return this.matcher.matches(pathWithoutQuery(request.path));
  }
}
