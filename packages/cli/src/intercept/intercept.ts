// `heddle intercept apply|remove|show`.
import { CliError, usageError } from '../cli-error.ts';
import type { InterceptApplyFlags } from '../commands/intercept.ts';
import { ExitCode } from '../exit-code.ts';
import type { DnsCapture, InterceptionOptions } from './interception-options.ts';
import { Interception, type InterceptionPlan } from './interception.ts';
import { hasIpv6, mayAdministerNetwork, nameServers, ownerNumber } from './read-system.ts';
import { runSystemProgram } from './run-program.ts';

/** The user and group of Istio's proxy. */
const defaultOwner = '1337';

function ownerNumbers(inputs: readonly string[] | undefined, kind: 'user' | 'group'): readonly number[] {
  return (inputs ?? [defaultOwner]).map((input) => {
    const number = ownerNumber(input, kind);
    if (number === null) {
      const flag = kind === 'user' ? '--proxy-uid' : '--proxy-gid';
      throw usageError(
        `${flag}: there is no ${kind} '${input}' on this machine`,
        'give its number, or create it',
      );
    }
    return number;
  });
}

function dnsCapture(flags: InterceptApplyFlags): DnsCapture | null {
  if (flags.captureAllDns) return { port: flags.dnsPort, servers: '*' };
  if (!flags.redirectDns) return null;
  const servers = nameServers();
  if (servers.length === 0)
    throw usageError('--redirect-dns: /etc/resolv.conf names no server', 'use --capture-all-dns');
  return { port: flags.dnsPort, servers };
}

/** What the flags ask for. */
export function planOf(flags: InterceptApplyFlags): InterceptionPlan {
  const { mode, outboundPort, inboundPort, tproxyMark, tproxyRouteTable } = flags;
  const options: InterceptionOptions = {
    mode,
    proxyUids: ownerNumbers(flags.proxyUid, 'user'),
    proxyGids: ownerNumbers(flags.proxyGid, 'group'),
    outboundPort,
    inboundPort,
    includeOutboundIpRanges: flags.includeOutboundIpRanges,
    excludeOutboundIpRanges: flags.excludeOutboundIpRanges,
    includeOutboundPorts: flags.includeOutboundPorts,
    excludeOutboundPorts: flags.excludeOutboundPorts,
    includeInboundPorts: flags.includeInboundPorts,
    excludeInboundPorts: flags.excludeInboundPorts,
    excludeInterfaces: flags.excludeInterfaces,
    dns: dnsCapture(flags),
    tproxyMark,
    tproxyRouteTable,
  };
  if (outboundPort === inboundPort) throw usageError('--outbound-port and --inbound-port are the same');
  const isV6 = flags.ipv6 === 'on' || (flags.ipv6 === 'auto' && hasIpv6());
  return { options, families: isV6 ? ['ipv4', 'ipv6'] : ['ipv4'] };
}

function requireLinux(): void {
  if (process.platform === 'linux') return;
  throw new CliError(
    'HEDDLE_INTERCEPT_UNSUPPORTED',
    `interception needs Linux, this is ${process.platform}`,
    {
      hint: '`heddle run` without it works: give the application --upstream, or HTTP_PROXY',
    },
  );
}

function requirePrivileges(): void {
  requireLinux();
  if (mayAdministerNetwork()) return;
  throw new CliError(
    'HEDDLE_INTERCEPT_DENIED',
    'this user may not see or change the packet filter: that takes root or the capability CAP_NET_ADMIN',
    { hint: 'run it with sudo; apply --dry-run needs no privileges' },
  );
}

/** `heddle intercept apply`. */
export async function applyInterception(flags: InterceptApplyFlags): Promise<number> {
  const plan = planOf(flags);
  const interception = new Interception(runSystemProgram);
  const filter = await interception.choose(flags.backend);
  if (flags.dryRun) {
    process.stdout.write(interception.render(plan, filter));
    return ExitCode.ok;
  }
  requirePrivileges();
  await interception.apply(plan, filter);
  const { outboundPort, inboundPort } = plan.options;
  process.stderr.write(
    `heddle: intercepting with ${filter.name}: outbound to port ${outboundPort}, inbound to port ${inboundPort}` +
      `${plan.options.dns === null ? '' : `, DNS to port ${plan.options.dns.port}`}\n`,
  );
  return ExitCode.ok;
}

/** `heddle intercept remove`. */
export async function removeInterception(): Promise<number> {
  requirePrivileges();
  const wasThere = await new Interception(runSystemProgram).remove();
  process.stderr.write(
    wasThere ? 'heddle: nothing is intercepted any more\n' : 'heddle: nothing was intercepted\n',
  );
  return ExitCode.ok;
}

/** `heddle intercept show`. */
export async function showInterception(): Promise<number> {
  requirePrivileges();
  const text = await new Interception(runSystemProgram).show();
  if (text === '') process.stderr.write('heddle: nothing is intercepted\n');
  else process.stdout.write(text);
  return ExitCode.ok;
}
