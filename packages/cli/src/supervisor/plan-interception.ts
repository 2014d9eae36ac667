// Decides how a workload is intercepted, before anything is started.
import type { SidecarOptions } from '@heddle/proxy';
import { CliError } from '../cli-error.ts';
import { interceptionDefaults } from '../intercept/interception-options.ts';
import { type InterceptionPlan, defaultPlan } from '../intercept/interception.ts';
import { hasIpv6, mayAdministerNetwork, mayChangeGroup } from '../intercept/read-system.ts';
import { type PortBlocks, isPortFree, requireFreePort } from './ports.ts';
import type { WorkloadInterception } from './workload-options.ts';

type InterceptedSidecar = Required<Pick<SidecarOptions, 'interception' | 'dnsCapture'>>;

/** The sidecar's listeners that rules lead to. Those who wrote the rules before can't know other ports than the usual ones. */
export async function planInterceptedSidecar(
  { mode, rules }: WorkloadInterception,
  ports: PortBlocks,
): Promise<InterceptedSidecar> {
  const address = hasIpv6() ? '::' : '0.0.0.0';
  const choose = async (usual: number): Promise<number> => {
    if (rules === 'keep') await requireFreePort(usual, address, '--intercept');
    else if (!(await isPortFree(usual, address))) return await ports.take(address);
    return usual;
  };
  return {
    interception: {
      mode: mode === 'tproxy' ? 'TPROXY' : 'REDIRECT',
      address,
      outboundPort: await choose(interceptionDefaults.outboundPort),
      inboundPort: await choose(interceptionDefaults.inboundPort),
      mark: interceptionDefaults.mark,
    },
    dnsCapture: { address: '127.0.0.1', port: await choose(interceptionDefaults.dnsPort) },
  };
}

/** The rules for a sidecar that is planned so; null where none are to be written. */
export function planRules(
  intercept: WorkloadInterception | null,
  { interception, dnsCapture, inbound, expose }: SidecarOptions,
): InterceptionPlan | null {
  if (intercept?.rules !== 'write' || interception === undefined || dnsCapture === undefined) return null;
  const { outboundPort, inboundPort } = interception;
  return {
    options: {
      ...defaultPlan,
      mode: intercept.mode,
      outboundPort,
      inboundPort,
      // What others send to the sidecar itself needs no way there.
      excludeInboundPorts: [inbound.port, ...(expose === null ? [] : [expose.port])],
      // Where the sidecar answers there is no IPv6.
      dns: { port: dnsCapture.port, servers: ['0.0.0.0/0'] },
    },
    families: hasIpv6() ? ['ipv4', 'ipv6'] : ['ipv4'],
  };
}

/** Rejects what the system will not let this process do. */
export function requirePrivileges({ rules }: WorkloadInterception): void {
  const writesRules = rules === 'write';
  if (process.platform !== 'linux') {
    throw new CliError(
      'HEDDLE_INTERCEPT_UNSUPPORTED',
      `--intercept needs Linux, this is ${process.platform}`,
      {
        hint: 'leave it out: give the application --upstream, or HTTP_PROXY',
      },
    );
  }
  if (mayChangeGroup() && (!writesRules || mayAdministerNetwork())) return;
  const capabilities = writesRules ? 'capabilities CAP_NET_ADMIN and CAP_SETGID' : 'capability CAP_SETGID';
  const writes = writesRules ? 'it writes rules of the packet filter, and ' : '';
  throw new CliError(
    'HEDDLE_INTERCEPT_DENIED',
    `--intercept needs root or the ${capabilities}: ${writes}the sidecar runs under a group of its own, by which the rules know it`,
    { hint: 'run it with sudo, or leave --intercept out and use --upstream' },
  );
}
