// Serves gRPC on a Unix socket that only this user can open.
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, HeddleError, systemErrorCode } from '@heddle/base';
import { serveConnection } from '@heddle/control-plane/grpc-session';
import type { RpcMethods, RpcPeer } from '@heddle/xds';

/** What fits into an address of a Unix socket (108 bytes with its end), less what clients may add. */
const longestPath = 100;

/** Nobody is lost without a word on one machine. */
const keepaliveMs = 300_000;
const keepaliveTimeoutMs = 60_000;
const socketName = 'xds.sock';

export interface LocalServerOptions {
  /** Readable by its owner only. */
  readonly stateDirectory: string;
  readonly methods: RpcMethods;
  /** Who clients are: whoever may open the socket is this workload. */
  readonly peer: RpcPeer;
  readonly clock: Clock;
}

/** Where the socket is: in the state directory, or in a directory of its own where its path would be too long for that. */
async function chooseSocket(stateDirectory: string): Promise<{ path: string; ownDirectory: string | null }> {
  const path = join(stateDirectory, socketName);
  if (Buffer.byteLength(path) <= longestPath) return { path, ownDirectory: null };
  const ownDirectory = await mkdtemp(join(tmpdir(), 'heddle-'));
  return { path: join(ownDirectory, socketName), ownDirectory };
}

export class LocalServer {
  readonly path: string;
  private readonly ownDirectory: string | null;
  private readonly server: Server;
  private readonly ends = new Set<() => void>();

  private constructor(path: string, ownDirectory: string | null, options: LocalServerOptions) {
    const { methods, peer, clock } = options;
    this.path = path;
    this.ownDirectory = ownDirectory;
    this.server = createServer((socket: Socket) => {
      socket.on('error', () => socket.destroy());
      const end = serveConnection(socket, peer, { methods, clock, keepaliveMs, keepaliveTimeoutMs });
      this.ends.add(end);
      socket.once('close', () => this.ends.delete(end));
    });
  }

  /** Binds the socket; what an agent that was killed has left there is removed. Rejects with `HEDDLE_LISTEN_FAILED`. */
  static async start(options: LocalServerOptions): Promise<LocalServer> {
    const { path, ownDirectory } = await chooseSocket(options.stateDirectory);
    const local = new LocalServer(path, ownDirectory, options);
    try {
      await rm(path, { force: true });
      local.server.listen(path);
      await once(local.server, 'listening');
      // Private keys are served there.
      await chmod(path, 0o600);
    } catch (error) {
      throw new HeddleError('HEDDLE_LISTEN_FAILED', `can't listen on ${path} (${systemErrorCode(error)})`, {
        cause: error,
      });
    }
    return local;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const end of this.ends) end();
    await rm(this.path, { force: true });
    if (this.ownDirectory !== null) await rm(this.ownDirectory, { recursive: true, force: true });
  }
}
