import { VirtualClock } from '@heddle/testkit';
import { DeltaServer } from '../server/delta-server.ts';
import type { DeltaServerOptions } from '../server/delta-server.ts';
import { MemorySource } from './memory-source.ts';

/** A server with its source and its clock. */
export interface ServedSource {
  readonly source: MemorySource;
  readonly clock: VirtualClock;
  readonly server: DeltaServer;
}

/** A server of an empty source, on virtual time. */
export function serveSource(options: Partial<DeltaServerOptions> = {}): ServedSource {
  const source = new MemorySource();
  const clock = new VirtualClock();
  return { source, clock, server: new DeltaServer({ source, clock, ...options }) };
}
