import type { Chain, Family } from './rule.ts';

export type BackendName = 'iptables' | 'nft';

/** The chains of each family; a family without any is not intercepted. */
export type WantedRules = Readonly<Record<Family, readonly Chain[]>>;

export const families: readonly Family[] = ['ipv4', 'ipv6'];

/** One way to the kernel's packet filter. */
export interface PacketFilter {
  readonly name: BackendName;
  isInstalled(): Promise<boolean>;
  /** Our rules that are in force, as the program prints them; empty where there are none. */
  show(): Promise<string>;
  /** Puts `wanted` in place of what is in force of ours, or fails and leaves everything as it was. */
  replace(wanted: WantedRules): Promise<void>;
  /** What `replace` would feed to the program on a machine without rules of ours. */
  render(wanted: WantedRules): string;
}

export const noRules: WantedRules = { ipv4: [], ipv6: [] };
