import type { Clock } from '@heddle/base';
import { nodeDatagrams } from '../transport/node/node-datagrams.ts';
import type { DnsEnvironment } from './dns-environment.ts';
import { systemResolverConfiguration } from './system-resolver.ts';

/** This machine's DNS: its sockets, its resolv.conf and hosts file; `listens` as in `DnsEnvironment`. */
export function systemDns(clock: Clock, listens: boolean): DnsEnvironment {
  return { datagrams: nodeDatagrams, listens, configuration: systemResolverConfiguration(clock) };
}
