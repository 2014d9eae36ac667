import { ipBytes } from './ip-address.ts';

/** Where and how names are looked up: what resolv.conf(5) and hosts(5) say. */
export interface ResolverConfiguration {
  /** Asked in this order; the port is 53. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Appended to names that are not complete, in this order; lower case, no dots at the ends. */
  readonly search: readonly string[];
  /** A name with at least so many dots is tried as it is before the search domains are. */
  readonly minDots: number;
  /** How long one server has for one answer. */
  readonly timeoutMs: number;
  /** How often each server is asked. */
  readonly attempts: number;
  /** Ask by TCP from the start. */
  readonly usesTcp: boolean;
  /** Addresses by lower-case name, from the hosts file. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

const dnsPort = 53;
/** glibc's limits. */
const maxServers = 3;
const maxMinDots = 15;
const maxTimeoutSeconds = 30;
const maxAttempts = 5;

/** What holds where the file says nothing: the server on this machine, 5 s, two attempts, one dot. */
export const defaultResolverConfiguration: ResolverConfiguration = {
  servers: [{ host: '127.0.0.1', port: dnsPort }],
  search: [],
  minDots: 1,
  timeoutMs: 5000,
  attempts: 2,
  usesTcp: false,
  hosts: new Map(),
};

/** Reads a resolv.conf; what it doesn't understand it ignores, as the C library does. */
export function parseResolvConf(text: string): Omit<ResolverConfiguration, 'hosts'> {
  const servers: { host: string; port: number }[] = [];
  let { search, minDots, timeoutMs, attempts, usesTcp }: ResolverConfiguration = defaultResolverConfiguration;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    switch (keyword) {
      case 'nameserver': {
        const host = words[0] ?? '';
        if (ipBytes(host) !== null && servers.length < maxServers) servers.push({ host, port: dnsPort });
        break;
      }
      case 'domain':
      case 'search':
        // The last line of the two holds.
        search = words
          .map((word) => word.toLowerCase().replaceAll(/^\.+|\.+$/g, ''))
          .filter((word) => word !== '');
        break;
      case 'options':
        for (const option of words) {
          const [name, value = ''] = option.split(':');
          const number = Number.parseInt(value, 10);
          if (name === 'use-vc') usesTcp = true;
          if (!(number >= 0)) continue;
          if (name === 'ndots') minDots = Math.min(number, maxMinDots);
          if (name === 'timeout') timeoutMs = 1000 * Math.min(Math.max(number, 1), maxTimeoutSeconds);
          if (name === 'attempts') attempts = Math.min(Math.max(number, 1), maxAttempts);
        }
        break;
      default:
        break;
    }
  }
  if (servers.length === 0) servers.push(...defaultResolverConfiguration.servers);
  return { servers, search, minDots, timeoutMs, attempts, usesTcp };
}

/** Reads a hosts file: addresses by lower-case name, in their order. */
export function parseHosts(text: string): Map<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (ipBytes(address) === null) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = hosts.get(key);
      if (known === undefined) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}
