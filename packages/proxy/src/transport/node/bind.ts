import { chmod, unlink } from 'node:fs/promises';
import { BoundSocket, type Server, connect } from 'node:net';
import { HeddleError, errorMessage, systemErrorCode } from '@heddle/base';
import { makeTransparent } from '../../interception/transparent-socket.ts';
import { describeAddress, isUnixAddress } from '../address.ts';
import type { TcpAddress, TransportAddress, UnixAddress } from '../transport.ts';

const backlog = 1024;

interface BoundHandle {
  readonly handle: BoundSocket;
}

/**
 * Makes a server listen; rejects with a `HeddleError` that names the address. The file of a Unix socket that nobody listens
 * on any more is replaced, as after a crash; one that answers is not.
 */
export async function bind(server: Server, address: TransportAddress, isTransparent: boolean): Promise<void> {
  try {
    if (isUnixAddress(address)) await listenOnFile(server, address);
    else if (isTransparent) await listen(server, transparentSocket(address));
    else await listen(server, { host: address.host, port: address.port });
  } catch (error) {
    if (error instanceof HeddleError) throw error;
    const where = describeAddress(address);
    const isTaken = systemErrorCode(error) === 'EADDRINUSE';
    throw isTaken
      ? new HeddleError(
          'HEDDLE_PORT_IN_USE',
          `another program listens on ${where} already: stop it or choose another ${isUnixAddress(address) ? 'path' : 'port'}`,
          { cause: error },
        )
      : new HeddleError('HEDDLE_LISTEN_FAILED', `can't listen on ${where}: ${errorMessage(error)}`, {
          cause: error,
        });
  }
}

async function listenOnFile(server: Server, { path, mode }: UnixAddress): Promise<void> {
  const isAbstract = path.startsWith('\0');
  try {
    await listen(server, { path });
  } catch (error) {
    if (isAbstract || systemErrorCode(error) !== 'EADDRINUSE' || (await answers(path))) throw error;
    await unlink(path);
    await listen(server, { path });
  }
  if (!isAbstract && mode !== undefined) await chmod(path, mode);
}

/** Bound, and transparent before the first connection can come. */
function transparentSocket({ host, port }: TcpAddress): BoundHandle {
  const socket = new BoundSocket({ host, port });
  try {
    makeTransparent(socket.fd(), host);
  } catch (error) {
    socket.close();
    throw error;
  }
  return { handle: socket };
}

function listen(
  server: Server,
  where: { readonly path: string } | { readonly host: string; readonly port: number } | BoundHandle,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whether somebody accepts connections on a Unix socket. Whatever else keeps us from connecting, the file is somebody's. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(systemErrorCode(error) !== 'ECONNREFUSED'));
  });
}
