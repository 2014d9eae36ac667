// What `heddle intercept` reads of the machine it runs on.
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { systemErrorCode } from '@heddle/base';

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'EACCES') return '';
    throw error;
  }
}

/** The name servers of `/etc/resolv.conf`. */
export function nameServers(text: string = readText('/etc/resolv.conf')): readonly string[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1]?.split('%')[0] ?? '')
    .filter((address) => isIP(address) !== 0);
}

/** The number of a user or group by its name, from the text of `/etc/passwd` or `/etc/group`; null where there is none. */
export function numberOf(name: string, database: string): number | null {
  const row = database.split('\n').find((line) => line.startsWith(`${name}:`));
  const number = Number(row?.split(':')[2] ?? '');
  return row === undefined || !Number.isSafeInteger(number) ? null : number;
}

/** A user's or group's number, given as such or by name; null where nobody has the name. */
export function ownerNumber(input: string, kind: 'user' | 'group'): number | null {
  if (/^\d{1,10}$/.test(input)) return Number(input);
  return numberOf(input, readText(kind === 'user' ? '/etc/passwd' : '/etc/group'));
}

/** True where the kernel speaks IPv6. */
export function hasIpv6(): boolean {
  return existsSync('/proc/net/if_inet6') && readText('/proc/net/if_inet6') !== '';
}

const capabilitySetGid = 6n;
const capabilityNetAdmin = 12n;

function hasCapability(capability: bigint, status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> capability) & 1n) === 1n;
}

/** True where this process may change the packet filter. */
export function mayAdministerNetwork(status: string = readText('/proc/self/status')): boolean {
  return hasCapability(capabilityNetAdmin, status);
}

/** True where this process may start others under another group. */
export function mayChangeGroup(status: string = readText('/proc/self/status')): boolean {
  return hasCapability(capabilitySetGid, status);
}
