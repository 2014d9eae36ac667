// Hot path.
import { assertNever } from '@heddle/base';
import { validHost } from '../codec/valid-host.ts';
import { pathWithoutQuery } from './path-matcher.ts';
import type { RequestView } from './request-view.ts';
import type { RegexRewrite } from '@heddle/base/regex/regex-rewrite.ts';

/** Where the `Host` to send upstream comes from. */
export type HostRewrite =
  | { readonly kind: 'literal'; readonly host: string }
  /** A header's value. */
  | { readonly kind: 'header'; readonly name: string }
  /** The path, rewritten. */
  | { readonly kind: 'path'; readonly rewrite: RegexRewrite }
  /** The name of the endpoint that the request goes to. */
  | { readonly kind: 'endpoint' };

/**
 * The host to send upstream; null where there is nothing to take another one from, or what there is is no host.
 * `endpointName` may be empty.
 */
export function rewrittenHost(
  rewrite: HostRewrite,
  request: RequestView,
  endpointName: string,
): string | null {
  const host = newHost(rewrite, request, endpointName);
  return validHost.test(host) ? host : null;
}

function newHost(rewrite: HostRewrite, request: RequestView, endpointName: string): string {
  switch (rewrite.kind) {
    case 'literal':
      return rewrite.host;
    case 'header':
      // Of several fields the first one counts.
      return request.header(rewrite.name)?.split(',', 1)[0] ?? '';
    case 'path':
      return rewrite.rewrite.apply(pathWithoutQuery(request.path));
    case 'endpoint':
      return endpointName;
    default:
      return assertNever(rewrite);
  }
}
