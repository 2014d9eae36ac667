// Brings rules and routes into force together, or not at all.
import { buildRules } from './build-rules.ts';
import { type InterceptionOptions, interceptionDefaults } from './interception-options.ts';
import { IptablesFilter } from './iptables-filter.ts';
import { NftFilter } from './nft-filter.ts';
import { type BackendName, type PacketFilter, type WantedRules, families, noRules } from './packet-filter.ts';
import {
  type MarkedRoute,
  addMarkedRoute,
  describeMarkedRoute,
  findMarkedRoutes,
  removeMarkedRoute,
} from './policy-routing.ts';
import {
  addPassthroughAddress,
  describePassthroughAddress,
  hasPassthroughAddress,
  removePassthroughAddress,
} from './passthrough-address.ts';
import type { Family } from './rule.ts';
import type { RunProgram } from './run-program.ts';

export interface InterceptionPlan {
  readonly options: InterceptionOptions;
  readonly families: readonly Family[];
}

/** Everything, as Istio has it, for a proxy of group 1337. Ports and DNS are for whoever knows the proxy to say. */
export const defaultPlan: Omit<InterceptionOptions, 'mode' | 'outboundPort' | 'inboundPort' | 'dns'> = {
  proxyUids: [],
  proxyGids: [interceptionDefaults.owner],
  includeOutboundIpRanges: '*',
  excludeOutboundIpRanges: [],
  includeOutboundPorts: [],
  excludeOutboundPorts: [],
  includeInboundPorts: '*',
  excludeInboundPorts: [],
  excludeInterfaces: [],
  tproxyMark: interceptionDefaults.mark,
  tproxyRouteTable: interceptionDefaults.routeTable,
};

function wantedRules(plan: InterceptionPlan): WantedRules {
  const of = (family: Family) => (plan.families.includes(family) ? buildRules(plan.options, family) : []);
  return { ipv4: of('ipv4'), ipv6: of('ipv6') };
}

function wantedRoute({ options }: InterceptionPlan): MarkedRoute | null {
  return options.mode === 'tproxy' ? { mark: options.tproxyMark, table: options.tproxyRouteTable } : null;
}

/** Whether the proxy needs an address of its own for what it passes on by IPv6. */
function wantsAddress({ options, families: wanted }: InterceptionPlan): boolean {
  return options.mode === 'redirect' && wanted.includes('ipv6');
}

/** The interception of one machine or network namespace: that in which this process is. */
export class Interception {
  private readonly run: RunProgram;
  private readonly filters: readonly PacketFilter[];

  constructor(run: RunProgram) {
    this.run = run;
    this.filters = [new IptablesFilter(run), new NftFilter(run)];
  }

  /** The back end of this name; `auto`: iptables where it is installed, as Istio has it, else nftables. */
  async choose(name: BackendName | 'auto'): Promise<PacketFilter> {
    const [iptables, nft] = this.filters as readonly [PacketFilter, PacketFilter];
    if (name !== 'auto') return name === 'nft' ? nft : iptables;
    return (await iptables.isInstalled()) || !(await nft.isInstalled()) ? iptables : nft;
  }

  /**
   * Puts the plan in force with `filter`, in place of whatever `heddle intercept` wrote before, with either back end. Where a
   * step fails, what was in force before is in force again, and the failure is thrown.
   */
  async apply(plan: InterceptionPlan, filter: PacketFilter): Promise<void> {
    const route = wantedRoute(plan);
    const added: Family[] = [];
    let hasNewAddress = false;
    try {
      if (wantsAddress(plan)) hasNewAddress = await addPassthroughAddress(this.run);
      // Routes first: rules without them would lead packets astray.
      if (route !== null) {
        for (const family of plan.families) {
          if ((await this.routes(family)).some((one) => isSame(one, route))) continue;
          added.push(family);
          await addMarkedRoute(this.run, family, route);
        }
      }
      await filter.replace(wantedRules(plan));
    } catch (error) {
      for (const family of added) await this.removeRoutes(family, (one) => isSame(one, route));
      if (hasNewAddress) await removePassthroughAddress(this.run);
      throw error;
    }
    for (const other of this.filters) if (other !== filter) await removeRules(other);
    if (!wantsAddress(plan)) await removePassthroughAddress(this.run);
    for (const family of families) {
      const isWanted = route !== null && plan.families.includes(family);
      await this.removeRoutes(family, (one) => !isWanted || !isSame(one, route));
    }
  }

  /** Removes what `apply` has written, and nothing else; returns whether there was anything. */
  async remove(): Promise<boolean> {
    const before = await this.show();
    for (const filter of this.filters) await removeRules(filter);
    for (const family of families) await this.removeRoutes(family, () => true);
    await removePassthroughAddress(this.run);
    return before !== '';
  }

  /** What is in force; empty where nothing is. */
  async show(): Promise<string> {
    let text = '';
    for (const filter of this.filters) text += await filter.show();
    for (const family of families) {
      for (const route of await this.routes(family))
        text += `# ${family}, routing\n${describeMarkedRoute(family, route).join('\n')}\n`;
    }
    if (await hasPassthroughAddress(this.run)) text += `# ipv6, address\n${describePassthroughAddress()}\n`;
    return text;
  }

  /** What `apply` would run and feed to it. */
  render(plan: InterceptionPlan, filter: PacketFilter): string {
    const route = wantedRoute(plan);
    const routes: string[] =
      route === null ? [] : plan.families.flatMap((family) => describeMarkedRoute(family, route));
    if (wantsAddress(plan)) routes.push(describePassthroughAddress());
    return [...routes.map((line) => `${line}\n`), filter.render(wantedRules(plan))].join('');
  }

  /** Without `ip` there can be none of ours. */
  private async routes(family: Family): Promise<readonly MarkedRoute[]> {
    const outcome = await this.run('ip', ['-V']);
    return outcome === null ? [] : await findMarkedRoutes(this.run, family);
  }

  private async removeRoutes(family: Family, isGone: (route: MarkedRoute) => boolean): Promise<void> {
    for (const route of await this.routes(family))
      if (isGone(route)) await removeMarkedRoute(this.run, family, route);
  }
}

async function removeRules(filter: PacketFilter): Promise<void> {
  if ((await filter.show()) !== '') await filter.replace(noRules);
}

function isSame(a: MarkedRoute, b: MarkedRoute | null): boolean {
  return b !== null && a.mark === b.mark && a.table === b.table;
}
