// Hot path.
import { Field } from '../../codec/field.ts';
import type { FilteredExchange, HttpFilter } from '../../http/http-filter.ts';
import type { IncomingRequest } from '../../http/incoming-request.ts';
import type { LocalReply } from '../../http/response-flags.ts';
import { isSwitchedOff } from '../../policy/is-switched-off.ts';
import type { RouteMatch } from '../../routing/route-match.ts';
import type { Connection } from '../../transport/transport.ts';
import { grpcContentType } from '../content-type.ts';
import { isGrpcWebContentType, isGrpcWebText } from './web-content-type.ts';
import { WebLayer } from './web-layer.ts';

const requestType = new Field('content-type', grpcContentType);
const noCompression = new Field('grpc-accept-encoding', 'identity');

/** What a connection manager says of `envoy.filters.http.grpc_web`. */
export interface WebFilterSettings {
  readonly kind: 'grpc-web';
  readonly name: string;
  readonly isDisabled: boolean;
}

/** `envoy.filters.http.grpc_web`: calls of gRPC-Web go on as calls of gRPC. CORS is another filter's. */
export class WebFilter implements HttpFilter {
  private readonly settings: WebFilterSettings;

  constructor(settings: WebFilterSettings) {
    this.settings = settings;
  }

  onRequest(
    request: IncomingRequest,
    _connection: Connection,
    route: RouteMatch<unknown> | null,
    exchange: FilteredExchange,
  ): LocalReply | null {
    const contentType = request.header('content-type');
    if (!isGrpcWebContentType(contentType) || exchange.isUpgrade) return null;
    if (isSwitchedOff(this.settings, route)) return null;
    const isTextResponse = isGrpcWebText(request.header('accept'));
    request.replaceBy(requestType);
    request.remove('content-length');
    request.acceptsTrailers = true;
    if (request.header('grpc-accept-encoding') === null) request.added.add(noCompression);
    exchange.translateCall(new WebLayer(exchange, isGrpcWebText(contentType), isTextResponse), true);
    return null;
  }
}
