// Decides everything about a workload before anything is started: names, ports, addresses.
import { resolve } from 'node:path';
import { type Random, systemRandom } from '@heddle/base';
import type { SidecarOptions } from '@heddle/proxy';
import type { AgentOptions } from '../agent/agent-options.ts';
import { usageError } from '../cli-error.ts';
import { type BoundUpstream, upstreamVariable } from './environment.ts';
import { planInterceptedSidecar } from './plan-interception.ts';
import { addressTowards, type JoinTarget } from './join-target.ts';
import { type PortBlocks, requireFreePort, tryToListen } from './ports.ts';
import { isLoopback } from './process-inspector.ts';
import { sidecarDirectory } from './sidecar-directory.ts';
import type { WorkloadOptions } from './workload-options.ts';

/** What the sidecar and the application are started with. */
export interface WorkloadPlan {
  readonly sidecar: SidecarOptions | AgentOptions;
  readonly upstreams: readonly BoundUpstream[];
}

/** A name for an instance, unique in the mesh: `reviews-v1-4f9a2c`. */
export function instanceName(service: string, version: string, random: Random = systemRandom): string {
  const suffix = (random.uint32() & 0xff_ffff).toString(16).padStart(6, '0');
  // Versions may hold what file names and node ids had better not.
  const stem = version === '' ? service : `${service}-${version.replaceAll(/[^A-Za-z0-9.-]/g, '-')}`;
  return `${stem}-${suffix}`;
}

async function planUpstreams(options: WorkloadOptions, ports: PortBlocks): Promise<readonly BoundUpstream[]> {
  const variables = new Map<string, string>();
  const bound: BoundUpstream[] = [];
  for (const upstream of options.upstreams) {
    const variable = upstreamVariable(upstream.name);
    const other = variables.get(variable);
    if (other !== undefined) {
      const why =
        other === upstream.name ? 'is given twice' : `and --upstream ${other} would both be ${variable}`;
      throw usageError(`--upstream ${upstream.name} ${why}`, 'one of them can be written with its namespace');
    }
    variables.set(variable, upstream.name);
    bound.push({ ...upstream, bind: { address: '127.0.0.1', port: await ports.take() } });
  }
  return bound;
}

/** The address at which the inbound listener binds, so that `advertised` leads to it. */
async function inboundAddress(advertised: string): Promise<string> {
  if (isLoopback(advertised)) return advertised;
  // An address that is not this machine's (behind NAT, in a cloud) can't be bound; packets arrive at another.
  const own = (await tryToListen(0, advertised)) !== 'EADDRNOTAVAIL';
  if (own) return advertised;
  return advertised.includes(':') ? '::' : '0.0.0.0';
}

/** Chooses what the user left open, and refuses what can't work. `envoy` is the program that was found for `--proxy envoy`. */
export async function planWorkload(
  options: WorkloadOptions,
  target: JoinTarget,
  ports: PortBlocks,
  envoy: string | null = null,
): Promise<WorkloadPlan> {
  const advertiseAddress = options.advertise?.address ?? (await addressTowards(target.address));
  const inbound = await inboundAddress(advertiseAddress);
  if (options.inboundPort !== null) await requireFreePort(options.inboundPort, inbound, '--inbound-port');
  if (options.appPort !== null) await requireFreePort(options.appPort, '127.0.0.1', '--app-port');
  if (options.expose !== null) await requireFreePort(options.expose.port, options.expose.address, '--expose');
  // Others come to the application itself, where that is its own proxy.
  const isOwnProxy = options.proxy === 'grpc';
  const inboundPort = (isOwnProxy ? options.appPort : options.inboundPort) ?? (await ports.take(inbound));
  const outboundPort = await ports.take();
  const adminPort = await ports.take();
  const appPort = isOwnProxy ? inboundPort : (options.appPort ?? (await ports.take()));
  const upstreams = await planUpstreams(options, ports);
  const { intercept } = options;
  const interception = intercept === null ? {} : await planInterceptedSidecar(intercept, ports);
  const instance = instanceName(options.service, options.version);
  return {
    upstreams,
    sidecar: {
      instance,
      namespace: options.namespace,
      service: options.service,
      serviceAccount: options.serviceAccount ?? options.service,
      labels: {
        app: options.service,
        ...(options.version === '' ? {} : { version: options.version }),
        ...options.labels,
      },
      servicePort: options.port,
      appPort,
      protocol: options.protocol,
      inbound: { address: inbound, port: inboundPort },
      advertiseAddress,
      advertisePort: options.advertise?.port ?? inboundPort,
      outboundProxy: { address: '127.0.0.1', port: outboundPort },
      upstreams: upstreams.map(({ host, port, bind }) => ({ host, port, bind })),
      expose: options.expose,
      ...interception,
      admin: { address: '127.0.0.1', port: adminPort },
      stateDirectory: resolve(sidecarDirectory(options.store, instance)),
      joinAddress: target.address,
      joinToken: target.token,
      accessLog: options.accessLog,
      concurrency: options.concurrency,
      logLevel: process.env['HEDDLE_DEBUG'] === '1' ? 'debug' : 'info',
      ...(options.proxy === 'heddle' ? {} : { proxy: options.proxy, envoy: envoy ?? '' }),
    },
  };
}
