import type { Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import {
  type HttpProtocolOptions,
  HttpProtocolOptions_HeadersWithUnderscoresAction as UnderscoresAction,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { Duration } from '@heddle/xds/api/google/protobuf/duration.ts';
import type { ConnectionLimits } from '../cluster/connection-pool.ts';
import { defaultClientSettings } from '../http1/client-connection.ts';
import { UnderscoreAction } from '../http1/server-settings.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';
import { compileHttp2Options } from './compile-http2-options.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { compileHttp1Options, compileMaxHeaders } from './protocol-options.ts';
import { upstreamProtocolOptions } from './upstream-protocol-options.ts';

/** Envoy's defaults. */
const defaultConnectTimeoutMs = 5000;
const defaultIdleTimeoutMs = 3_600_000;
const maxResponseHeadersKb = 8192;

/** Compiles how a cluster's connections are made, what they speak and when they end. */
export function compileConnectionLimits(cluster: Cluster, problems: ProblemList): ConnectionLimits {
  const connectTimeoutMs = durationMs(
    cluster.connectTimeout,
    defaultConnectTimeoutMs,
    'connect_timeout',
    problems,
  );
  if (connectTimeoutMs === 0) problems.invalid('connect_timeout', 'must be more than 0');
  const { protocol, common, http1, http2 } = upstreamProtocolOptions(cluster, problems);
  const { message: options, path } = common;
  const time = (field: string, duration: Duration | undefined, fallbackMs: number): number =>
    durationMs(duration, fallbackMs, `${path}.${field}`, problems);
  checkUnsupported(options, path, problems);
  const headKb = options?.maxResponseHeadersKb;
  if (headKb !== undefined && (headKb < 1 || headKb > maxResponseHeadersKb)) {
    problems.invalid(`${path}.max_response_headers_kb`, `must be 1 to ${maxResponseHeadersKb}`);
  }
  const headBytes = headKb === undefined ? undefined : headKb * 1024;
  const maxFields = compileMaxHeaders(options, defaultClientSettings.maxFields, path, problems);
  const { takesTrailers, allowsChunkedLength } = compileHttp1Options(http1.message, http1.path, problems);
  return {
    connectTimeoutMs,
    keepAliveMs: compileKeepAlive(cluster, problems),
    idleTimeoutMs: time('idle_timeout', options?.idleTimeout, defaultIdleTimeoutMs),
    maxDurationMs: time('max_connection_duration', options?.maxConnectionDuration, 0),
    maxRequests: options?.maxRequestsPerConnection ?? cluster.maxRequestsPerConnection ?? 0,
    protocol,
    responses: {
      maxHeadBytes: headBytes ?? defaultClientSettings.maxHeadBytes,
      maxFields,
      takesTrailers,
      allowsChunkedLength,
    },
    http2: compileHttp2Options(
      http2.message,
      {
        maxHeaderListBytes: headBytes ?? defaultHttp2Options.maxHeaderListBytes,
        maxFields,
        underscores: UnderscoreAction.allow,
        // How long an upstream may take is for timeouts of the request to say.
        flushTimeoutMs: 0,
      },
      http2.path,
      problems,
    ),
  };
}

function checkUnsupported(
  options: HttpProtocolOptions | undefined,
  path: string,
  problems: ProblemList,
): void {
  if (options === undefined) return;
  if (options.maxStreamDuration !== undefined) problems.unsupported(`${path}.max_stream_duration`);
  if (options.headersWithUnderscoresAction !== UnderscoresAction.ALLOW) {
    problems.unsupported(`${path}.headers_with_underscores_action`);
  }
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
