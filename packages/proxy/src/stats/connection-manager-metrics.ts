import type { Counter, Gauge, Histogram, MetricScope } from '@heddle/telemetry';
import { ResponseCounts } from './response-counts.ts';

/**
 * The metrics of one HTTP connection manager under Envoy's names: `http.<stat_prefix>.downstream_rq_total` is
 * `envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="<stat_prefix>"}` in Prometheus's text.
 */
export class ConnectionManagerMetrics {
  readonly connectionsTotal: Counter;
  readonly connectionsActive: Gauge;
  readonly http1ConnectionsTotal: Counter;
  readonly http1ConnectionsActive: Gauge;
  readonly http2ConnectionsTotal: Counter;
  readonly http2ConnectionsActive: Gauge;
  readonly tlsConnectionsTotal: Counter;
  readonly tlsConnectionsActive: Gauge;
  /** Connections that are gone, by whoever closed them, and of those the ones that still owed a response. */
  readonly connectionsDestroyed: Counter;
  readonly destroyedLocally: Counter;
  readonly destroyedRemotely: Counter;
  readonly destroyedBusy: Counter;
  readonly destroyedBusyLocally: Counter;
  readonly destroyedBusyRemotely: Counter;
  readonly connectionTimeMs: Histogram;
  /** Tunnels: upgrades and CONNECT. */
  readonly upgradesTotal: Counter;
  readonly upgradesActive: Gauge;
  readonly protocolErrors: Counter;
  /** Connections closed because they were idle, too old, had carried enough requests, or the listener drained. */
  readonly idleTimeouts: Counter;
  readonly maxDurationsReached: Counter;
  readonly maxRequestsReached: Counter;
  readonly drainCloses: Counter;
  /** Connections dropped because the peer did not read the last response in time. */
  readonly delayedCloseTimeouts: Counter;
  readonly bytesReceived: Counter;
  readonly bytesSent: Counter;

  readonly requestsTotal: Counter;
  readonly requestsActive: Gauge;
  readonly http1RequestsTotal: Counter;
  readonly http2RequestsTotal: Counter;
  /** Responses, interim ones and those to unreadable requests too. */
  readonly responses: ResponseCounts;
  /** From a request's first byte to its response's last, in milliseconds. */
  readonly requestTimeMs: Histogram;
  /** Requests whose client went away, or whose end was not awaited. */
  readonly requestsReset: Counter;
  readonly responsesBeforeRequestEnd: Counter;
  readonly nonRelativePaths: Counter;
  readonly requestsTooLarge: Counter;
  readonly responsesTooLarge: Counter;
  readonly upgradesRefused: Counter;
  readonly requestTimeouts: Counter;
  readonly headerTimeouts: Counter;
  readonly streamIdleTimeouts: Counter;
  readonly maxStreamDurationsReached: Counter;
  readonly failedPathNormalizations: Counter;
  readonly redirectedPaths: Counter;
  /** Connections ended because half of their requests were reset at once. */
  readonly prematureResetsExceeded: Counter;
  /** Requests whose response was cut off. */
  readonly responsesReset: Counter;

  /** Requests that came to the router, and what became of some of them. */
  readonly requestsRouted: Counter;
  /** Redirects that were not followed, by why. */
  readonly redirectsToNoUrl: Counter;
  readonly redirectsToUnsafeScheme: Counter;
  readonly redirectsTooMany: Counter;
  readonly redirectsToNoRoute: Counter;
  readonly redirectsRefused: Counter;
  readonly routesNotFound: Counter;
  readonly clustersNotFound: Counter;
  /** Redirects, too. */
  readonly directResponses: Counter;

  /** `http1.…`, which Envoy keeps once for all listeners. */
  readonly underscoreFieldsDropped: Counter;
  readonly underscoreRequestsRejected: Counter;

  /** `listener.<address>.http.<stat_prefix>.…`; null for connections without a listener of the configuration. */
  private readonly responsesOfListener: ResponseCounts | null;

  /** `listenerAddress` as Envoy writes it in names: `127.0.0.1_80`. */
  constructor(scope: MetricScope, statPrefix: string, listenerAddress: string | null) {
    const labels = { envoy_http_conn_manager_prefix: statPrefix };
    const counter = (name: string, help: string): Counter =>
      scope.counter(`envoy_http_${name}`, help, labels);
    const gauge = (name: string, help: string): Gauge => scope.gauge(`envoy_http_${name}`, help, labels);
    const times = (name: string, help: string): Histogram =>
      scope.histogram(`envoy_http_${name}`, help, labels);
    this.connectionsTotal = counter('downstream_cx_total', 'Connections accepted.');
    this.connectionsActive = gauge('downstream_cx_active', 'Open connections.');
    this.http1ConnectionsTotal = counter('downstream_cx_http1_total', 'Connections that speak HTTP/1.');
    this.http1ConnectionsActive = gauge('downstream_cx_http1_active', 'Open connections that speak HTTP/1.');
    this.http2ConnectionsTotal = counter('downstream_cx_http2_total', 'Connections that speak HTTP/2.');
    this.http2ConnectionsActive = gauge('downstream_cx_http2_active', 'Open connections that speak HTTP/2.');
    this.tlsConnectionsTotal = counter('downstream_cx_ssl_total', 'Connections secured by TLS.');
    this.tlsConnectionsActive = gauge('downstream_cx_ssl_active', 'Open connections secured by TLS.');
    this.connectionsDestroyed = counter('downstream_cx_destroy', 'Connections that are gone.');
    this.destroyedLocally = counter('downstream_cx_destroy_local', 'Connections that the proxy closed.');
    this.destroyedRemotely = counter('downstream_cx_destroy_remote', 'Connections that the client closed.');
    this.destroyedBusy = counter(
      'downstream_cx_destroy_active_rq',
      'Connections gone with a request on them.',
    );
    this.destroyedBusyLocally = counter(
      'downstream_cx_destroy_local_active_rq',
      'Connections that the proxy closed with a request on them.',
    );
    this.destroyedBusyRemotely = counter(
      'downstream_cx_destroy_remote_active_rq',
      'Connections that the client closed with a request on them.',
    );
    this.connectionTimeMs = times('downstream_cx_length_ms', 'How long connections lived, in milliseconds.');
    this.upgradesTotal = counter('downstream_cx_upgrades_total', 'Upgrades and CONNECT requests taken.');
    this.upgradesActive = gauge('downstream_cx_upgrades_active', 'Upgraded connections that are open.');
    this.protocolErrors = counter('downstream_cx_protocol_error', 'Connections closed for a protocol error.');
    this.idleTimeouts = counter('downstream_cx_idle_timeout', 'Connections closed for being idle.');
    this.maxDurationsReached = counter(
      'downstream_cx_max_duration_reached',
      'Connections closed for their age.',
    );
    this.maxRequestsReached = counter(
      'downstream_cx_max_requests_reached',
      'Connections closed for the number of their requests.',
    );
    this.drainCloses = counter('downstream_cx_drain_close', 'Connections closed to drain a listener.');
    this.delayedCloseTimeouts = counter(
      'downstream_cx_delayed_close_timeout',
      'Connections dropped because the client did not close its side in time.',
    );
    this.bytesReceived = counter('downstream_cx_rx_bytes_total', 'Bytes received.');
    this.bytesSent = counter('downstream_cx_tx_bytes_total', 'Bytes sent.');
    this.requestsTotal = counter('downstream_rq_total', 'Requests received.');
    this.requestsActive = gauge('downstream_rq_active', 'Requests in flight.');
    this.http1RequestsTotal = counter('downstream_rq_http1_total', 'Requests received by HTTP/1.');
    this.http2RequestsTotal = counter('downstream_rq_http2_total', 'Requests received by HTTP/2.');
    this.responses = new ResponseCounts(scope, 'envoy_http_downstream_rq', labels);
    this.responsesOfListener =
      listenerAddress === null
        ? null
        : new ResponseCounts(scope, 'envoy_listener_http_downstream_rq', {
            ...labels,
            envoy_listener_address: listenerAddress,
          });
    this.requestTimeMs = times('downstream_rq_time', 'Time of requests in milliseconds.');
    this.requestsReset = counter('downstream_rq_rx_reset', 'Requests that did not come to their end.');
    this.responsesBeforeRequestEnd = counter(
      'downstream_rq_response_before_rq_complete',
      'Responses sent before the request had come to its end.',
    );
    this.nonRelativePaths = counter('downstream_rq_non_relative_path', 'Requests whose path had no slash.');
    this.requestsTooLarge = counter('downstream_rq_too_large', 'Requests with too large a body (413).');
    this.responsesTooLarge = counter('rs_too_large', 'Responses larger than may be held in memory (500).');
    this.upgradesRefused = counter('downstream_rq_ws_on_non_ws_route', 'Upgrades that no route takes (403).');
    this.requestTimeouts = counter('downstream_rq_timeout', 'Requests that took too long to arrive (408).');
    this.headerTimeouts = counter(
      'downstream_rq_header_timeout',
      'Heads that took too long to arrive (408).',
    );
    this.streamIdleTimeouts = counter(
      'downstream_rq_idle_timeout',
      'Requests that stood still for too long.',
    );
    this.maxStreamDurationsReached = counter(
      'downstream_rq_max_duration_reached',
      'Requests that lasted too long.',
    );
    this.failedPathNormalizations = counter(
      'downstream_rq_failed_path_normalization',
      'Requests refused for their path.',
    );
    this.redirectedPaths = counter(
      'downstream_rq_redirected_with_normalized_path',
      'Requests redirected to their normalised path.',
    );
    this.prematureResetsExceeded = counter(
      'downstream_rq_too_many_premature_resets',
      'Connections closed for requests that were reset at once.',
    );
    this.responsesReset = counter('downstream_rq_tx_reset', 'Responses that were cut off.');
    const redirect = (name: string, help: string): Counter =>
      counter(`passthrough_internal_redirect_${name}`, `Redirects that were passed on: ${help}.`);
    this.redirectsToNoUrl = redirect('bad_location', 'they lead to no absolute URL');
    this.redirectsToUnsafeScheme = redirect('unsafe_scheme', 'they lead to another scheme');
    this.redirectsTooMany = redirect('too_many_redirects', 'the request had been redirected often enough');
    this.redirectsToNoRoute = redirect('no_route', 'no route is there');
    this.redirectsRefused = redirect('predicate', 'a predicate of the route refused them');
    this.requestsRouted = counter('rq_total', 'Requests that came to the router.');
    this.clustersNotFound = counter('no_cluster', 'Requests whose route names a cluster that is not there.');
    this.directResponses = counter('rq_direct_response', 'Requests that a route answers itself.');
    this.routesNotFound = counter('no_route', 'Requests that no route matches.');
    this.underscoreFieldsDropped = scope.counter(
      'envoy_http1_dropped_headers_with_underscores',
      'Fields dropped for an underscore in their name.',
    );
    this.underscoreRequestsRejected = scope.counter(
      'envoy_http1_requests_rejected_with_underscores_in_headers',
      'Requests refused for an underscore in the name of a field.',
    );
  }

  /** Counts a response by its status. */
  countResponse(status: number): void {
    this.responses.count(status);
    this.responsesOfListener?.count(status);
  }

  /** Counts an accepted connection. */
  countAccepted(isTls: boolean): void {
    this.connectionsTotal.value++;
    this.connectionsActive.value++;
    if (!isTls) return;
    this.tlsConnectionsTotal.value++;
    this.tlsConnectionsActive.value++;
  }

  /** Counts the end of a connection; `isBusy` where it still owed a response. */
  countClosed(isLocal: boolean, isBusy: boolean, isTls: boolean, ageMs: number): void {
    this.connectionsActive.value--;
    if (isTls) this.tlsConnectionsActive.value--;
    this.connectionTimeMs.observe(ageMs);
    this.connectionsDestroyed.value++;
    (isLocal ? this.destroyedLocally : this.destroyedRemotely).value++;
    if (!isBusy) return;
    this.destroyedBusy.value++;
    (isLocal ? this.destroyedBusyLocally : this.destroyedBusyRemotely).value++;
  }
}
