// Values of the flags of `heddle intercept`. Every function throws an Error whose message completes "--flag: …".
import { isIP } from 'node:net';
import { parsePort } from '../flags.ts';
import type { Selection } from './interception-options.ts';

/** `80,443`; an empty text is an empty list. */
export function parsePorts(input: string): readonly number[] {
  return input === '' ? [] : input.split(',').map(parsePort);
}

/** `*` or a list of ports. */
export function parsePortSelection(input: string): Selection<number> {
  return input === '*' ? '*' : parsePorts(input);
}

function parseRange(input: string): string {
  const [address = '', length, more] = input.split('/');
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
  if (bits < 0 || address.includes('%') || !isLength || more !== undefined)
    throw new Error(`'${input}' is no address range: write an IP address or CIDR, such as 10.0.0.0/8`);
  return length === undefined ? `${address}/${bits}` : input;
}

/** `10.0.0.0/8,fd00::/8`; an address alone is itself; an empty text is an empty list. */
export function parseRanges(input: string): readonly string[] {
  return input === '' ? [] : input.split(',').map(parseRange);
}

/** `*` or a list of ranges. */
export function parseRangeSelection(input: string): Selection<string> {
  return input === '*' ? '*' : parseRanges(input);
}

/** `eth1,docker0`: at most 15 bytes each, as the kernel has them; a `+` at the end would be a wildcard in iptables only. */
export function parseInterfaces(input: string): readonly string[] {
  if (input === '') return [];
  const names = input.split(',');
  for (const name of names) {
    if (!/^[A-Za-z0-9._@-]{1,15}$/.test(name)) throw new Error(`'${name}' is no name of a network interface`);
  }
  return names;
}

/** A mark: 1 to 2³² − 2, because the next one is used too. */
export function parseMark(input: string): number {
  const mark = /^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(input) ? Number(input) : 0;
  if (mark < 1 || mark > 0xffff_fffe) throw new Error(`'${input}' is no mark, a number from 1 to 4294967294`);
  return mark;
}

/** A routing table's number that is not one of the kernel's own. */
export function parseRouteTable(input: string): number {
  const table = /^\d{1,10}$/.test(input) ? Number(input) : 0;
  if (table < 1 || table > 0xffff_ffff || (table >= 253 && table <= 255))
    throw new Error(`'${input}' is no routing table to use: a number from 1 that is not 253, 254 or 255`);
  return table;
}
