import { readFileSync } from 'node:fs';
import type { Clock } from '@heddle/base';
import { type ResolverConfiguration, parseHosts, parseResolvConf } from './resolver-configuration.ts';

const refreshMs = 5000;

/**
 * What this machine's files say, read again when they are needed and more than five seconds old. A file that isn't there
 * says nothing.
 */
export function systemResolverConfiguration(
  clock: Clock,
  resolvConf = '/etc/resolv.conf',
  hostsFile = '/etc/hosts',
): () => ResolverConfiguration {
  let current: ResolverConfiguration | null = null;
  let readAt = 0;
  return () => {
    const now = clock.monotonic();
    if (current === null || now - readAt > refreshMs) {
      current = { ...parseResolvConf(readOrEmpty(resolvConf)), hosts: parseHosts(readOrEmpty(hostsFile)) };
      readAt = now;
    }
    return current;
  };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
