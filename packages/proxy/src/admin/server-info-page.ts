// `/server_info`, `/ready` and `/memory`.
import { ServerState } from '../stats/server-metrics.ts';
import { proxyVersion } from '../stack/proxy-version.ts';
import { type AdminResponse, jsonResponse, textResponse } from './admin-message.ts';

/** How the process was started. */
export interface ServerDescription {
  /** As flags were given, with names of Envoy's where it has them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly node: Readonly<Record<string, unknown>>;
  /** What serves sockets, as `SocketTransport` names it. */
  readonly engine: string;
  /** How often the process has been replaced without a pause. */
  readonly epoch: number;
}

const stateNames = {
  [ServerState.live]: 'LIVE',
  [ServerState.draining]: 'DRAINING',
  [ServerState.preInitializing]: 'PRE_INITIALIZING',
  [ServerState.initializing]: 'INITIALIZING',
} as const;

/** The state's name, of a number that is one of `ServerState`. */
function stateName(state: number): string {
  return stateNames[state as keyof typeof stateNames];
}

export function readyPage(state: number): AdminResponse {
  return textResponse(`${stateName(state)}\n`, state === ServerState.live ? 200 : 503);
}

/** Processes of one version hand their sockets to each other; `disabled` where the process takes no part in that. */
export function hotRestartVersion({ options }: ServerDescription): string {
  return options['disable_hot_restart'] === false ? '1' : 'disabled';
}

export function serverInfoPage(
  description: ServerDescription,
  state: number,
  uptimeSeconds: number,
): AdminResponse {
  const { options, node, epoch, engine } = description;
  return jsonResponse({
    version: `heddle/${proxyVersion}/node-${process.version}/${engine}`,
    state: stateName(state),
    uptime_current_epoch: `${uptimeSeconds}s`,
    uptime_all_epochs: `${uptimeSeconds}s`,
    hot_restart_version: hotRestartVersion(description),
    command_line_options: { ...options, restart_epoch: epoch },
    node: {
      user_agent_name: 'heddle',
      user_agent_version: proxyVersion,
      ...node,
    },
  });
}

export function memoryPage(): AdminResponse {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return jsonResponse({
    allocated: String(heapUsed),
    heap_size: String(heapTotal),
    pageheap_unmapped: '0',
    pageheap_free: String(heapTotal - heapUsed),
    total_thread_cache: '0',
    total_physical_bytes: String(rss),
    external: String(external),
    array_buffers: String(arrayBuffers),
  });
}
