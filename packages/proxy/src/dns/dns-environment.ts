import type { DatagramTransport } from '../transport/datagrams.ts';
import type { ResolverConfiguration } from './resolver-configuration.ts';

/** What a proxy needs to ask for names, beside its connections. */
export interface DnsEnvironment {
  readonly datagrams: DatagramTransport;
  /** Whether DNS listeners are bound here; of several threads one does that. */
  readonly listens: boolean;
  /** Where names are looked up, as it is now. */
  readonly configuration: () => ResolverConfiguration;
}
