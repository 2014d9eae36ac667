// From names to addresses, as the C library finds them: hosts file, search domains, DNS.
import { isIP, isIPv4 } from 'node:net';
import type { DnsClient } from './dns-client.ts';
import { type DnsMessage, RecordType, ResponseCode, internetClass } from './dns-message.ts';
import type { ResolverConfiguration } from './resolver-configuration.ts';
import { isWritableName } from './write-message.ts';

/** Envoy's `dns_lookup_family`. */
export type LookupFamily = 'auto' | 'v4-only' | 'v6-only' | 'v4-preferred' | 'all';

export type Resolution =
  | {
      readonly kind: 'found';
      /** At least one. */
      readonly addresses: readonly string[];
      /** The smallest of the records'; null for what comes from the hosts file or is an address already. */
      readonly ttlMs: number | null;
    }
  /** The servers say that there is no such name, or that it has no address of the family. */
  | { readonly kind: 'not-found' }
  /** Nobody could say. */
  | { readonly kind: 'failed'; readonly detail: string };

export interface NameResolver {
  resolve(name: string, family: LookupFamily): Promise<Resolution>;
}

/** Never answers: for whoever only checks what a configuration says. */
export const silentResolver: NameResolver = { resolve: () => new Promise(() => undefined) };

type AddressType = typeof RecordType.a | typeof RecordType.aaaa;

const maxAliases = 16;

/** Which records are asked for, in order: in turn until there are some, or all of them. */
const lookups: Readonly<
  Record<LookupFamily, { readonly types: readonly AddressType[]; readonly takesAll: boolean }>
> = {
  auto: { types: [RecordType.aaaa, RecordType.a], takesAll: false },
  'v4-only': { types: [RecordType.a], takesAll: false },
  'v6-only': { types: [RecordType.aaaa], takesAll: false },
  'v4-preferred': { types: [RecordType.a, RecordType.aaaa], takesAll: false },
  all: { types: [RecordType.a, RecordType.aaaa], takesAll: true },
};

export class DnsNameResolver implements NameResolver {
  private readonly client: DnsClient;
  private readonly configuration: () => ResolverConfiguration;

  constructor(client: DnsClient, configuration: () => ResolverConfiguration) {
    this.client = client;
    this.configuration = configuration;
  }

  async resolve(name: string, family: LookupFamily): Promise<Resolution> {
    if (isIP(name) !== 0) return { kind: 'found', addresses: [name], ttlMs: null };
    const lower = name.toLowerCase();
    const absolute = lower.replace(/\.$/, '');
    if (absolute === '' || !isWritableName(absolute)) {
      return { kind: 'failed', detail: `"${name}" is no host name` };
    }
    const configuration = this.configuration();
    const local =
      configuration.hosts.get(absolute) ?? (isLocalhost(absolute) ? ['127.0.0.1', '::1'] : undefined);
    if (local !== undefined) return ofFamily(local, family);
    let outcome: Resolution = { kind: 'not-found' };
    for (const candidate of candidates(lower, configuration)) {
      // In turn on purpose: the first candidate that exists is the one that is meant.
      // eslint-disable-next-line no-await-in-loop
      const found = await this.lookUp(candidate, family, configuration);
      if (found.kind === 'found') return found;
      if (found.kind === 'failed') outcome = found;
    }
    return outcome;
  }

  private async lookUp(
    name: string,
    family: LookupFamily,
    configuration: ResolverConfiguration,
  ): Promise<Resolution> {
    const { types, takesAll } = lookups[family];
    const ask = (type: AddressType): Promise<Resolution> => this.ask(name, type, configuration);
    if (takesAll) return merge(await Promise.all(types.map(ask)));
    let outcome: Resolution = { kind: 'not-found' };
    for (const type of types) {
      // eslint-disable-next-line no-await-in-loop
      const found = await ask(type);
      if (found.kind === 'found') return found;
      if (found.kind === 'failed') outcome = found;
    }
    return outcome;
  }

  private async ask(
    name: string,
    type: AddressType,
    configuration: ResolverConfiguration,
  ): Promise<Resolution> {
    const reply = await this.client.query({ name, type, class: internetClass }, configuration);
    if (!reply.ok) return { kind: 'failed', detail: reply.detail };
    return addressesIn(reply.message, name, type);
  }
}

/** The addresses that a response has for a name, its aliases followed. */
export function addressesIn(message: DnsMessage, name: string, type: AddressType): Resolution {
  if (message.responseCode !== ResponseCode.noError) return { kind: 'not-found' };
  let owner = name;
  let ttlSeconds = Infinity;
  for (let i = 0; i < maxAliases; i++) {
    const records = message.answers.filter(
      (record) => record.name === owner && record.class === internetClass,
    );
    const addresses: string[] = [];
    for (const record of records) {
      if (record.type !== type || record.data.kind !== 'address') continue;
      addresses.push(record.data.address);
      ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds);
    }
    if (addresses.length > 0) return { kind: 'found', addresses, ttlMs: ttlSeconds * 1000 };
    const alias = records.find((record) => record.type === RecordType.cname);
    if (alias?.data.kind !== 'name') break;
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
    owner = alias.data.name;
  }
  return { kind: 'not-found' };
}

/** RFC 6761 §6.3: no server is asked about this machine. */
function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** The names to try. One with a dot at its end is complete. */
function candidates(name: string, { search, minDots }: ResolverConfiguration): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const extended = search.map((domain) => `${name}.${domain}`).filter(isWritableName);
  return name.split('.').length > minDots ? [name, ...extended] : [...extended, name];
}

function ofFamily(addresses: readonly string[], family: LookupFamily): Resolution {
  const v4 = addresses.filter((address) => isIPv4(address));
  const v6 = addresses.filter((address) => !isIPv4(address));
  const { types, takesAll } = lookups[family];
  const chosen: string[] = [];
  for (const type of types) {
    if (chosen.length === 0 || takesAll) chosen.push(...(type === RecordType.a ? v4 : v6));
  }
  return chosen.length === 0 ? { kind: 'not-found' } : { kind: 'found', addresses: chosen, ttlMs: null };
}

/** Both families together: what one of them has is enough. */
function merge(parts: readonly Resolution[]): Resolution {
  const found = parts.filter((part) => part.kind === 'found');
  if (found.length === 0) return parts.find((part) => part.kind === 'failed') ?? { kind: 'not-found' };
  return {
    kind: 'found',
    addresses: found.flatMap((part) => part.addresses),
    ttlMs: Math.min(...found.map((part) => part.ttlMs ?? Infinity)),
  };
}
