import type { Clock } from '@heddle/base';
import type { DatagramTransport } from '../transport/datagrams.ts';
import type { DnsEnvironment } from './dns-environment.ts';
import { systemResolverConfiguration } from './system-resolver.ts';

/** This machine's DNS: its resolv.conf and hosts file; `listens` as in `DnsEnvironment`. */
export function systemDns(clock: Clock, datagrams: DatagramTransport, listens: boolean): DnsEnvironment {
  return { datagrams, listens, configuration: systemResolverConfiguration(clock) };
}
