// Hot path.
import { localOutcome } from './compile-action.ts';
import type { RequestView } from './request-view.ts';
import { RouteMatch } from './route-match.ts';
import type { TlsRequirement } from './virtual-host.ts';

/**
 * Whether a virtual host's `require_tls` sends this request away: the client did not use https, as far as is known, and
 * must. Internal clients are those that the listener's rules hold for such.
 */
export function mustUseTls(requirement: TlsRequirement, request: RequestView): boolean {
  if (request.header('x-forwarded-proto') === 'https') return false;
  return requirement === 'all' || request.header('x-envoy-internal') !== 'true';
}

/** Where it is sent: the same host, port and path by https, without any of the changes that routes make to responses. */
export const tlsRedirect: RouteMatch<never> = new RouteMatch<never>({
  ...localOutcome,
  kind: 'redirect',
  routeName: '',
  virtualHostName: '',
  clusterName: '',
  clusterHeader: null,
  cluster: null,
  mirrors: null,
  filters: null,
  requestHeaders: null,
  responseHeaders: null,
  redirect: {
    status: 301,
    scheme: 'https',
    host: null,
    port: null,
    keepsPort: true,
    path: null,
    pathRewrite: null,
    stripsQuery: false,
  },
});
