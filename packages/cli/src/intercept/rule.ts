// Rules of a packet filter, in the words that iptables and nftables have in common.

export type Family = 'ipv4' | 'ipv6';

/** A condition; a rule applies where all of its conditions hold. */
export type Match =
  | { readonly on: 'protocol'; readonly protocol: Protocol }
  /** The destination port. */
  | { readonly on: 'port'; readonly protocol: Protocol; readonly port: number }
  | { readonly on: 'source' | 'destination'; readonly network: string; readonly isNot?: true }
  /** The destination is an address of this machine. */
  | { readonly on: 'local-destination' }
  | { readonly on: 'input' | 'output'; readonly networkInterface: string }
  /** Who owns the socket that sends. */
  | { readonly on: 'user' | 'group'; readonly id: number }
  | { readonly on: 'mark'; readonly mark: number; readonly isNot?: true }
  | { readonly on: 'connection-mark'; readonly mark: number }
  /** Not the first packet of a connection. */
  | { readonly on: 'established' };

export type Protocol = 'tcp' | 'udp';

export type Verdict =
  /** The chain has nothing more to say. */
  | { readonly do: 'return' }
  | { readonly do: 'jump'; readonly chain: string }
  /** To this port of the machine itself. */
  | { readonly do: 'redirect'; readonly port: number }
  /** To the transparent socket on this port, the packet unchanged but for its mark. */
  | { readonly do: 'tproxy'; readonly port: number; readonly mark: number }
  | { readonly do: 'set-mark'; readonly mark: number }
  /** The connection gets the packet's mark. */
  | { readonly do: 'save-mark' }
  /** The packet gets its connection's mark. */
  | { readonly do: 'restore-mark' };

export interface Rule {
  readonly matches: readonly Match[];
  readonly verdict: Verdict;
}

export type Table = 'mangle' | 'nat';
export type Hook = 'PREROUTING' | 'OUTPUT';

export interface Chain {
  readonly table: Table;
  /** Begins with `HEDDLE_`. */
  readonly name: string;
  /** Where packets come from; null for a chain that others jump to. */
  readonly hook: Hook | null;
  readonly rules: readonly Rule[];
}

/** By this everything that is ours is told from what is not. */
export const chainPrefix = 'HEDDLE_';
