// Who intercepts a network namespace: one process at a time, and nobody any more when that has been killed.
import { createServer, type Server } from 'node:net';
import { type Clock, systemErrorCode } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { delay } from '../supervisor/delay.ts';

/** In the abstract namespace of Unix sockets, of which each network namespace has its own. */
const path = '\0heddle-interception';
/** Whoever was killed has a guard that takes the rules away, and the lock until then. */
const patienceMs = 10_000;
const pauseMs = 100;

/**
 * A lock that the kernel holds for as long as a process has it open, whichever way processes end. Whoever inherits the
 * descriptor holds it too.
 */
export class NamespaceLock {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /** Waits a while for whoever is about to end; rejects with `HEDDLE_INTERCEPT_TAKEN` where he stays. */
  static async acquire(clock: Clock): Promise<NamespaceLock> {
    const patience = clock.monotonic() + patienceMs;
    for (;;) {
      const server = await tryToListen();
      if (server !== null) return new NamespaceLock(server);
      if (clock.monotonic() > patience) {
        throw new CliError(
          'HEDDLE_INTERCEPT_TAKEN',
          'another heddle run intercepts this network namespace already',
          {
            hint: 'give each application a network namespace of its own, such as a container, or use --upstream',
          },
        );
      }
      await delay(clock, pauseMs);
    }
  }

  get descriptor(): number {
    // Node keeps it on the handle, and tells nobody else.
    const { _handle: handle } = this.server as unknown as { readonly _handle: { readonly fd: number } };
    return handle.fd;
  }

  release(): void {
    this.server.close();
  }
}

/** Null where somebody else has it. */
async function tryToListen(): Promise<Server | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Server | null>();
  const server = createServer((socket) => socket.destroy());
  server.once('error', (error) => (systemErrorCode(error) === 'EADDRINUSE' ? resolve(null) : reject(error)));
  server.listen({ path, exclusive: true }, () => resolve(server.unref()));
  return await promise;
}
