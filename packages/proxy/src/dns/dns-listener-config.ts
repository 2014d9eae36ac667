import type { DatagramAddress } from '../transport/datagrams.ts';
import type { TableEntry } from './name-table.ts';

/** A listener that answers DNS: Envoy's DNS filter on a UDP listener. It listens by TCP on the same port too. */
export interface DnsListenerConfig {
  readonly name: string;
  readonly address: DatagramAddress;
  readonly statPrefix: string;
  readonly entries: readonly TableEntry[];
  /** Who is asked about all other names; null for the servers of resolv.conf. */
  readonly servers: readonly DatagramAddress[] | null;
  /** How long one server has for one answer; null for what resolv.conf says. */
  readonly timeoutMs: number | null;
  readonly attempts: number | null;
  /** Names asked for elsewhere at the same time; more get no answer. */
  readonly maxPendingLookups: number;
}
