import { formatPrometheus } from '@heddle/telemetry';
import { type AdminHandler, type AdminResponse, textResponse } from './admin-exchange.ts';
import type { Proxy } from '../stack/proxy.ts';
import { proxyVersion } from '../stack/proxy-version.ts';

function jsonResponse(value: unknown): AdminResponse {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` };
}

/** What the admin interface needs to know besides the proxy. */
export interface AdminState {
  readonly isReady: () => boolean;
  /** The certificate in force, null for a proxy without an identity. */
  readonly certificate: () => {
    readonly identity: string;
    readonly serial: string;
    readonly notBeforeMs: number;
    readonly notAfterMs: number;
  } | null;
}

const help = `/certs              the certificate in force
/clusters           endpoints of the clusters in use
/listeners          bound listeners
/ready              LIVE once requests are served
/server_info        version and state
/stats              counters and gauges, name: value
/stats/prometheus   everything in Prometheus's text format
`;

/** The admin interface as Envoy's users know it, as far as it goes. Reading only; on loopback only. */
export function proxyAdminHandler(proxy: Proxy, state: AdminState): AdminHandler {
  return (method, path) => {
    if (method !== 'GET' && method !== 'HEAD') return textResponse(`${path} is read with GET\n`, 405);
    switch (path) {
      case '/':
      case '/help':
        return textResponse(help);
      case '/ready':
        return state.isReady() ? textResponse('LIVE\n') : textResponse('PRE_INITIALIZING\n', 503);
      case '/server_info':
        return jsonResponse({
          version: proxyVersion,
          state: state.isReady() ? 'LIVE' : 'PRE_INITIALIZING',
          node: process.version,
        });
      case '/stats/prometheus':
        return {
          status: 200,
          contentType: 'text/plain; version=0.0.4; charset=utf-8',
          body: formatPrometheus(proxy.registry.collect()),
        };
      case '/stats':
        return textResponse(statsText(proxy));
      case '/listeners':
        return textResponse(
          proxy.listeners.listeners.map(({ name, host, port }) => `${name}::${host}:${port}\n`).join(''),
        );
      case '/clusters':
        return textResponse(clustersText(proxy));
      case '/certs':
        return jsonResponse({
          certificates: [state.certificate()].filter((certificate) => certificate !== null),
        });
      default:
        return null;
    }
  };
}

function statsText(proxy: Proxy): string {
  let text = '';
  for (const family of proxy.registry.collect()) {
    if (family.type === 'histogram') continue;
    for (const { labels, value } of family.samples) {
      const suffix = labels.map(([name, label]) => `${name}=${label}`).join(',');
      text += `${family.name}${suffix === '' ? '' : `{${suffix}}`}: ${value}\n`;
    }
  }
  return text;
}

function clustersText(proxy: Proxy): string {
  let text = '';
  for (const cluster of proxy.config.clusters.built()) {
    for (const endpoint of cluster.endpoints) {
      const prefix = `${cluster.name}::${endpoint.address}::`;
      text += `${prefix}health_flags::${endpoint.health}\n${prefix}weight::${endpoint.weight}\n`;
      text += `${prefix}rq_active::${endpoint.activeRequests}\n${prefix}rq_total::${endpoint.requestsTotal}\n${prefix}rq_error::${endpoint.requestsFailed}\n`;
    }
  }
  return text;
}
