import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Addresses of this machine that others may reach: without loopback and link-local ones, IPv4 first. */
export function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all
    .filter(
      ({ internal, address }) => !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'),
    )
    .sort((a, b) => (a.family === b.family ? 0 : a.family === 'IPv4' ? -1 : 1))
    .map(({ address }) => address);
}

/** The address to tell others for a listener: its own, or one of the machine's where it listens on all of them. */
export function reachableAddress(bind: string): string {
  const isUnspecified = bind === '0.0.0.0' || bind === '::';
  return isUnspecified ? (machineAddresses()[0] ?? '127.0.0.1') : bind;
}

/** Names by which the control plane may be asked for, for its certificate: foreign clients look at them. */
export function serverAddresses(bind: string): string[] {
  const isUnspecified = bind === '0.0.0.0' || bind === '::';
  const own = isUnspecified ? machineAddresses() : isIP(bind) === 0 ? [] : [bind];
  return [...new Set(['127.0.0.1', '::1', ...own])];
}
