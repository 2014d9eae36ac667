/** What all listeners of a sidecar have in common: how requests are served and logged. */
import { istioAccessLogFormat } from '@heddle/telemetry';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { AccessLog } from '@heddle/xds/api/envoy/config/accesslog/v3/accesslog.ts';
import type {
  HttpConnectionManager,
  HttpFilter,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { SidecarNode } from './node-metadata.ts';

/** `filters` stand in front of the router. */
export function connectionManager(
  node: Pick<SidecarNode, 'accessLog'>,
  statPrefix: string,
  filters: readonly DeepPartial<HttpFilter>[] = [],
): DeepPartial<HttpConnectionManager> {
  const router = packAny(TypeUrl.router, {});
  return {
    statPrefix,
    httpFilters: [
      ...filters,
      { name: 'envoy.filters.http.router', configType: { $case: 'typedConfig', value: router } },
    ],
    // A sidecar is no edge: the application's own headers are believed.
    useRemoteAddress: false,
    generateRequestId: true,
    // As in Istio; over HTTP/2 they are extended CONNECT.
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    http2ProtocolOptions: { allowConnect: true },
    accessLog: accessLog(node.accessLog),
  };
}

/** Lines in Istio's format; none where no file is named. */
export function accessLog(path: string): DeepPartial<AccessLog>[] {
  if (path === '') return [];
  const format = {
    format: {
      $case: 'textFormatSource' as const,
      value: { specifier: { $case: 'inlineString' as const, value: istioAccessLogFormat } },
    },
  };
  const config = packAny(TypeUrl.fileAccessLog, {
    path,
    accessLogFormat: { $case: 'logFormat', value: format },
  });
  return [{ name: 'envoy.access_loggers.file', configType: { $case: 'typedConfig', value: config } }];
}
