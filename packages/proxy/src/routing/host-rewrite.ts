// Hot path.
import { validHost } from '../http1/request-head.ts';
import { pathWithoutQuery } from './path-matcher.ts';
import type { RequestView } from './request-view.ts';
import type { RegexRewrite } from '../regex/regex-rewrite.ts';

/** Where the `Host` to send upstream comes from. */
export type HostRewrite =
  | { readonly kind: 'literal'; readonly host: string }
  /** A header's value. */
  | { readonly kind: 'header'; readonly name: string }
  /** The path, rewritten. */
  | { readonly kind: 'path'; readonly rewrite: RegexRewrite };

/** The host to send upstream; the request's own where there is nothing to take another one from, or what there is is no host. */
export function rewrittenHost(rewrite: HostRewrite, request: RequestView): string {
  if (rewrite.kind === 'literal') return rewrite.host;
  const host =
    rewrite.kind === 'header'
      ? (request.header(rewrite.name) ?? '')
      : rewrite.rewrite.apply(pathWithoutQuery(request.path));
  return validHost.test(host) ? host : request.authority;
}
