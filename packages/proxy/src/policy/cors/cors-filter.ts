// Hot path.
import type { Random } from '@heddle/base';
import { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import type { FilteredExchange, HttpFilter } from '../../http/http-filter.ts';
import type { IncomingRequest } from '../../http/incoming-request.ts';
import type { LocalReply } from '../../http/response-flags.ts';
import type { Fraction } from '../../routing/route-entry.ts';
import type { RouteMatch } from '../../routing/route-match.ts';
import type { Connection } from '../../transport/transport.ts';
import { CorsLayer } from './cors-layer.ts';
import type { CorsMetrics } from './cors-metrics.ts';
import { type CorsPolicy, allowsOrigin } from './cors-policy.ts';

/** What a connection manager says of `envoy.filters.http.cors`: the policies are the routes'. */
export interface CorsFilterSettings {
  readonly kind: 'cors';
  readonly name: string;
  /** It is there for the routes only that configure it: without a policy it does nothing for any. */
  readonly isDisabled: boolean;
}

const withCredentials = new Field('access-control-allow-credentials', 'true');
const withPrivateNetwork = new Field('access-control-allow-private-network', 'true');

/**
 * `envoy.filters.http.cors`: answers the questions that browsers ask before they send what pages of other origins ask for, and
 * says in responses who may read them.
 */
export class CorsFilter implements HttpFilter {
  private readonly name: string;
  private readonly metrics: CorsMetrics;
  private readonly random: Random;

  constructor({ name }: CorsFilterSettings, metrics: CorsMetrics, random: Random) {
    this.name = name;
    this.metrics = metrics;
    this.random = random;
  }

  onRequest(
    request: IncomingRequest,
    _connection: Connection,
    route: RouteMatch<unknown> | null,
    exchange: FilteredExchange,
  ): LocalReply | null {
    // As in Envoy, what the proxy answers itself as a route says is nobody's to share.
    if (route === null || route.filters === null || route.kind !== 'forward') return null;
    const config = route.filters.get(this.name);
    return config?.kind === 'cors' ? this.apply(config.cors, request, exchange) : null;
  }

  private apply(policy: CorsPolicy, request: IncomingRequest, exchange: FilteredExchange): LocalReply | null {
    const origin = request.header('origin');
    if (origin === null || origin === '') return null;
    const isEnabled = policy.enabled === null || this.isDrawn(policy.enabled);
    if (!isEnabled && (policy.shadow === null || !this.isDrawn(policy.shadow))) return null;
    const isAllowed = allowsOrigin(policy, origin);
    (isAllowed ? this.metrics.valid : this.metrics.invalid).value++;
    if (!isEnabled) return null;
    const asksBefore = isPreflight(request);
    if (!isAllowed && (!asksBefore || policy.forwardsOthers !== false)) return null;
    const fields = new FieldList();
    if (isAllowed) fields.add(new Field('access-control-allow-origin', origin));
    if (policy.allowsCredentials === true) fields.add(withCredentials);
    if (asksBefore) addPermissions(fields, policy, request);
    if (isAllowed && policy.exposeHeaders !== '')
      fields.add(new Field('access-control-expose-headers', policy.exposeHeaders));
    if (asksBefore) return { status: 200, flag: '-', details: 'cors_response', body: '', fields };
    exchange.addLayer(new CorsLayer(fields));
    return null;
  }

  private isDrawn({ numerator, denominator }: Fraction): boolean {
    return this.random.uint32() % denominator < numerator;
  }
}

/** A browser asks what it may send, before it does. */
function isPreflight(request: IncomingRequest): boolean {
  return request.method === 'OPTIONS' && (request.header('access-control-request-method') ?? '') !== '';
}

/** Adds what a browser may send. */
function addPermissions(fields: FieldList, policy: CorsPolicy, request: IncomingRequest): void {
  if (policy.allowMethods !== '') fields.add(new Field('access-control-allow-methods', policy.allowMethods));
  if (policy.allowHeaders !== '') fields.add(new Field('access-control-allow-headers', policy.allowHeaders));
  if (policy.maxAge !== '') fields.add(new Field('access-control-max-age', policy.maxAge));
  const asksForPrivateNetwork = request.header('access-control-request-private-network') === 'true';
  if (asksForPrivateNetwork && policy.allowsPrivateNetwork === true) fields.add(withPrivateNetwork);
}
