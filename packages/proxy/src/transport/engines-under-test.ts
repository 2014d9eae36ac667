// The engines over sockets of the system, for tests that hold of all.
import { silentLogger, systemClock } from '@heddle/base';
import { NodeTransport } from './node/node-transport.ts';
import type { SocketTransport, SocketTransportOptions } from './socket-transport.ts';
import { SysTransport, openEngine } from './sys/sys-transport.ts';

export interface EngineUnderTest {
  readonly name: string;
  /** Why it can't be tested here; false where it can. */
  readonly skip: string | false;
  open(options?: SocketTransportOptions): SocketTransport;
}

const engine = openEngine();

export const engines: readonly EngineUnderTest[] = [
  {
    name: 'node',
    skip: false,
    open: (options) => new NodeTransport(systemClock, silentLogger, options),
  },
  {
    name: 'node, by way of its streams',
    skip: false,
    open: (options) => new NodeTransport(systemClock, silentLogger, { ...options, writesDirectly: false }),
  },
  {
    name: 'sys',
    skip: typeof engine === 'string' ? engine : false,
    open: (options) => {
      if (typeof engine === 'string') throw new Error(engine);
      return new SysTransport(engine, systemClock, silentLogger, options);
    },
  },
];
