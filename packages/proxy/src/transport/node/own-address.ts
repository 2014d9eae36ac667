import { networkInterfaces } from 'node:os';

/** The first IPv4 address of this machine that is not its loopback's; empty where there is none. */
export function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (address.family === 'IPv4' && !address.internal) return address.address;
    }
  }
  return '';
}
