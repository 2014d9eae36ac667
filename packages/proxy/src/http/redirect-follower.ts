// Where redirects lead that the proxy follows itself (`internal_redirect_policy`).
import type { Random } from '@heddle/base';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { RequestHeadView, ResponseHeadView } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import {
  type InternalRedirectPolicy,
  type RedirectTarget,
  acceptsTarget,
  parseRedirectTarget,
} from '../routing/internal-redirect.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { HttpSettings } from './http-settings.ts';
import { NormalizedPath, type PathRules, PathVerdict } from './path-normalization.ts';
import { RedirectedRequest } from './redirected-request.ts';

/** What a redirect makes of a request, and its route. */
export interface NextRequest {
  readonly request: RedirectedRequest;
  readonly match: RouteMatch<ClusterSlot<ConnectionPool>>;
}

/** The request that is redirected. */
export interface RedirectingRequest {
  /** As it went upstream. */
  readonly sent: OutgoingRequest;
  readonly protocol: RequestHeadView['protocol'];
  readonly scheme: string;
  readonly routeName: string;
  readonly settings: HttpSettings;
  readonly random: Random;
}

/** The redirects of one client's request after the other. */
export class RedirectFollower {
  private followed = 0;
  /** From which routes to which. */
  private readonly visited = new Set<string>();

  /** The client has sent another request. */
  begin(): void {
    this.followed = 0;
    this.visited.clear();
  }

  /** Where the response leads; null, with the reason counted, where it goes on to the client. */
  follow(
    head: ResponseHeadView,
    policy: InternalRedirectPolicy,
    { sent, protocol, scheme, routeName, settings, random }: RedirectingRequest,
  ): NextRequest | null {
    const { metrics } = settings.server;
    const location = head.header('location');
    if (location === null) return null;
    const target = targetOf(location, settings.request.path);
    if (target === null) {
      metrics.redirectsToNoUrl.value++;
      return null;
    }
    if (!policy.allowsCrossScheme && target.scheme !== scheme) {
      metrics.redirectsToUnsafeScheme.value++;
      return null;
    }
    if (this.followed >= policy.maxRedirects) {
      metrics.redirectsTooMany.value++;
      return null;
    }
    const request = new RedirectedRequest(sent, protocol, scheme, head, target, policy);
    const match = settings.routes.current?.match(request, random) ?? null;
    if (match === null) {
      metrics.redirectsToNoRoute.value++;
      return null;
    }
    const schemes = { ofRequest: scheme, ofTarget: target.scheme };
    if (!acceptsTarget(policy, routeName, match.routeName, schemes, this.visited)) {
      metrics.redirectsRefused.value++;
      return null;
    }
    this.followed++;
    return { request, match };
  }
}

/** An upstream can't lead past policies that look at paths: its path gets the same form as those of clients. */
function targetOf(location: string, rules: PathRules | null): RedirectTarget | null {
  const target = parseRedirectTarget(location);
  if (target === null || rules === null) return target;
  const normalized = new NormalizedPath();
  const verdict = normalized.apply(target.path, rules);
  if (verdict === PathVerdict.rejected || verdict === PathVerdict.redirected) return null;
  return { ...target, path: normalized.path };
}
