// `/init_dump`: what a proxy waits for before it listens.
import type { Proxy } from '../stack/proxy.ts';
import { type AdminResponse, jsonResponse } from './admin-message.ts';

export function initDumpPage({ config }: Proxy): AdminResponse {
  const targets = [...config.clusters.names].filter((name) => !config.clusters.isWarm(name));
  if (targets.length === 0) return jsonResponse({});
  return jsonResponse({
    unready_targets_dumps: [
      { name: 'init manager Server', target_names: targets.map((name) => `Cluster ${name}`) },
    ],
  });
}
