import type { Clock } from '@heddle/base';
import { nodeDatagrams } from '../transport/node/node-datagrams.ts';
import type { DnsEnvironment } from './dns-environment.ts';
import { systemResolverConfiguration } from './system-resolver.ts';

/** This machine's DNS: its sockets, its resolv.conf and hosts file. */
export function systemDns(clock: Clock): DnsEnvironment {
  return { datagrams: nodeDatagrams, configuration: systemResolverConfiguration(clock) };
}
