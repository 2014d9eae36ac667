import { isMainThread } from 'node:worker_threads';
import type { Clock, Logger } from '@heddle/base';
import { NodeTransport } from './node/node-transport.ts';
import type { SocketTransport, SocketTransportOptions } from './socket-transport.ts';
import type { DescriptorLedger } from './sys/descriptor-ledger.ts';
import { SysTransport, openEngine } from './sys/sys-transport.ts';

/**
 * The fastest engine that works here. `ledger`, of a thread that another one has started, is where that one finds what this one
 * leaves open when it ends before its time.
 */
export function openTransport(
  clock: Clock,
  logger: Logger,
  options: SocketTransportOptions = {},
  ledger: DescriptorLedger | null = null,
): SocketTransport {
  const engine = process.env['HEDDLE_TRANSPORT'] === 'node' ? 'HEDDLE_TRANSPORT says so' : openEngine();
  if (typeof engine !== 'string') {
    if (ledger !== null) engine.poller.keep(ledger);
    return new SysTransport(engine, clock, logger, options);
  }
  if (isMainThread)
    logger.info("Sockets are served by Node's own code, which costs more", { reason: engine });
  return new NodeTransport(clock, logger, options);
}
