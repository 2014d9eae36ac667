// Hot path.
import { Field } from '../../codec/field.ts';
import type { FilteredExchange, HttpFilter } from '../../http/http-filter.ts';
import type { IncomingRequest } from '../../http/incoming-request.ts';
import type { LocalReply } from '../../http/response-flags.ts';
import { isSwitchedOff } from '../../policy/is-switched-off.ts';
import type { RouteMatch } from '../../routing/route-match.ts';
import type { Connection } from '../../transport/transport.ts';
import type { ConnectionManagerMetrics } from '../../stats/connection-manager-metrics.ts';
import { grpcContentType, isGrpcContentType } from '../content-type.ts';
import { BridgeLayer } from './bridge-layer.ts';

const protobufContentType = 'application/x-protobuf';
const requestType = new Field('content-type', grpcContentType);

/** What a connection manager says of `envoy.filters.http.grpc_http1_bridge`. */
export interface BridgeFilterSettings {
  readonly kind: 'grpc-http1-bridge';
  readonly name: string;
  readonly isDisabled: boolean;
  /** `upgrade_protobuf_to_grpc`: a bare message is a call, too, and gets a bare message. */
  readonly upgradesProtobuf: boolean;
  /** `ignore_query_parameters`: the path goes on without its query. */
  readonly ignoresQuery: boolean;
}

/** `envoy.filters.http.grpc_http1_bridge`: clients of HTTP/1 get the outcome of gRPC calls in the response's head. */
export class BridgeFilter implements HttpFilter {
  private readonly settings: BridgeFilterSettings;
  private readonly metrics: ConnectionManagerMetrics;

  constructor(settings: BridgeFilterSettings, metrics: ConnectionManagerMetrics) {
    this.settings = settings;
    this.metrics = metrics;
  }

  onRequest(
    request: IncomingRequest,
    _connection: Connection,
    route: RouteMatch<unknown> | null,
    exchange: FilteredExchange,
  ): LocalReply | null {
    if (exchange.protocol === 'HTTP/2' || exchange.isUpgrade) return null;
    const { settings } = this;
    const contentType = request.header('content-type');
    const isBare = settings.upgradesProtobuf && contentType === protobufContentType;
    if (!isBare && !isGrpcContentType(contentType)) return null;
    if (isSwitchedOff(settings, route)) return null;
    if (isBare) {
      request.replaceBy(requestType);
      request.remove('content-length');
    }
    if (settings.ignoresQuery) request.path = withoutQuery(request.path);
    exchange.translateCall(new BridgeLayer(exchange, this.metrics, isBare), false);
    return null;
  }
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}
