import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import { type ControlPlaneLinkOptions, connectToControlPlane } from '@heddle/proxy/control-plane-link';
import { openTransport } from '@heddle/proxy/open-transport';
import type { RpcClient } from '@heddle/xds';

/** What a sidecar with this identity talks to its control plane by, over sockets. */
export function controlPlaneClient(identity: ControlPlaneLinkOptions['identity']): RpcClient {
  return connectToControlPlane({
    identity,
    transport: openTransport(systemClock, silentLogger),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
}
