import { BlockList, isIP, isIPv4 } from 'node:net';

/** A range of addresses of `internal_address_config`. */
export interface InternalRange {
  readonly address: string;
  readonly bits: number;
}

/** Which clients count as internal. Since 1.40 Envoy, too, takes none for internal that is not configured. */
export class InternalAddresses {
  private readonly ranges = new BlockList();
  private readonly isEmpty: boolean;
  // Requests of one connection mostly have one client.
  private lastAddress = '';
  private lastAnswer = false;

  constructor(ranges: readonly InternalRange[]) {
    this.isEmpty = ranges.length === 0;
    for (const { address, bits } of ranges) {
      this.ranges.addSubnet(address, bits, isIPv4(address) ? 'ipv4' : 'ipv6');
    }
  }

  /** False for what is no IP address. */
  has(address: string): boolean {
    if (this.isEmpty) return false;
    if (address !== this.lastAddress) {
      this.lastAddress = address;
      const family = isIP(address);
      this.lastAnswer = family !== 0 && this.ranges.check(address, family === 4 ? 'ipv4' : 'ipv6');
    }
    return this.lastAnswer;
  }
}
