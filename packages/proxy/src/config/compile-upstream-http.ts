import { TypeUrl } from '@heddle/xds';
import type { Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import {
  type HttpProtocolOptions,
  HttpProtocolOptions_HeadersWithUnderscoresAction as UnderscoresAction,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { ConnectionLimits } from '../cluster/connection-pool.ts';
import { defaultClientSettings } from '../http1/client-connection.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { compileHttp1Options, compileMaxHeaders } from './protocol-options.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

const optionsKey = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
/** Envoy's defaults. */
const defaultConnectTimeoutMs = 5000;
const defaultIdleTimeoutMs = 3_600_000;
const maxResponseHeadersKb = 8192;

/** Compiles how a cluster's connections are made and when they end. */
export function compileConnectionLimits(cluster: Cluster, problems: ProblemList): ConnectionLimits {
  const connectTimeoutMs = durationMs(
    cluster.connectTimeout,
    defaultConnectTimeoutMs,
    'connect_timeout',
    problems,
  );
  if (connectTimeoutMs === 0) problems.invalid('connect_timeout', 'must be more than 0');
  let limits: ConnectionLimits = {
    connectTimeoutMs,
    keepAliveMs: compileKeepAlive(cluster, problems),
    idleTimeoutMs: defaultIdleTimeoutMs,
    maxDurationMs: 0,
    maxRequests: cluster.maxRequestsPerConnection ?? 0,
    responses: defaultClientSettings,
  };
  if (cluster.httpProtocolOptions !== undefined) problems.unsupported('http_protocol_options');
  if (cluster.http2ProtocolOptions !== undefined) problems.unsupported('http2_protocol_options');
  if (cluster.commonHttpProtocolOptions !== undefined) problems.unsupported('common_http_protocol_options');
  if (cluster.protocolSelection !== 0) problems.unsupported('protocol_selection');
  for (const [key, any] of Object.entries(cluster.typedExtensionProtocolOptions)) {
    const path = `typed_extension_protocol_options[${key}]`;
    if (key !== optionsKey || any.typeUrl !== TypeUrl.upstreamHttpProtocolOptions) {
      refuseExtension(key, any, path, problems);
      continue;
    }
    const message = unpackConfig(any, TypeUrl.upstreamHttpProtocolOptions, path, problems);
    const common = message?.commonHttpProtocolOptions;
    if (common !== undefined) {
      limits = withCommonOptions(limits, common, `${path}.common_http_protocol_options`, problems);
    }
    const choice = message?.upstreamProtocolOptions;
    if (choice?.$case === 'autoConfig') problems.unsupported(`${path}.auto_config`);
    if (choice?.$case === 'useDownstreamProtocolConfig') {
      problems.unsupported(`${path}.use_downstream_protocol_config`);
    }
    const protocol = choice?.$case === 'explicitHttpConfig' ? choice.value.protocolConfig : undefined;
    if (protocol?.$case === 'http2ProtocolOptions') {
      problems.unsupported(`${path}.explicit_http_config.http2_protocol_options`);
    } else if (protocol !== undefined) {
      const place = `${path}.explicit_http_config.http_protocol_options`;
      const { takesTrailers, allowsChunkedLength } = compileHttp1Options(protocol.value, place, problems);
      limits = { ...limits, responses: { ...limits.responses, takesTrailers, allowsChunkedLength } };
    }
  }
  return limits;
}

/**
 * `upstream_connection_options`. Accepted without effect: how often and how fast keep-alive probes follow each other,
 * which Node decides (ten, a second apart), and happy eyeballs, since an endpoint has one address here.
 */
function compileKeepAlive({ upstreamConnectionOptions }: Cluster, problems: ProblemList): number | null {
  if (upstreamConnectionOptions === undefined) return null;
  const { tcpKeepalive, setLocalInterfaceNameOnUpstreamConnections } = upstreamConnectionOptions;
  if (setLocalInterfaceNameOnUpstreamConnections) {
    problems.unsupported('upstream_connection_options.set_local_interface_name_on_upstream_connections');
  }
  return tcpKeepalive === undefined ? null : (tcpKeepalive.keepaliveTime ?? 0) * 1000;
}

function withCommonOptions(
  limits: ConnectionLimits,
  options: HttpProtocolOptions,
  path: string,
  problems: ProblemList,
): ConnectionLimits {
  if (options.maxStreamDuration !== undefined) problems.unsupported(`${path}.max_stream_duration`);
  if (options.headersWithUnderscoresAction !== UnderscoresAction.ALLOW) {
    problems.unsupported(`${path}.headers_with_underscores_action`);
  }
  const headKb = options.maxResponseHeadersKb;
  if (headKb !== undefined && (headKb < 1 || headKb > maxResponseHeadersKb)) {
    problems.invalid(`${path}.max_response_headers_kb`, `must be 1 to ${maxResponseHeadersKb}`);
  }
  const { responses } = limits;
  return {
    ...limits,
    responses: {
      ...responses,
      maxHeadBytes: headKb === undefined ? responses.maxHeadBytes : headKb * 1024,
      maxFields: compileMaxHeaders(options, responses.maxFields, path, problems),
    },
    idleTimeoutMs: durationMs(options.idleTimeout, limits.idleTimeoutMs, `${path}.idle_timeout`, problems),
    maxDurationMs: durationMs(options.maxConnectionDuration, 0, `${path}.max_connection_duration`, problems),
    maxRequests: options.maxRequestsPerConnection ?? limits.maxRequests,
  };
}
