import { chmod, rename, unlink } from 'node:fs/promises';
import { type AddressInfo, BoundSocket, type Server, connect, createServer } from 'node:net';
import { HeddleError, systemErrorCode } from '@heddle/base';
import { makeTransparent } from '../../interception/transparent-socket.ts';
import { isUnixAddress } from '../address.ts';
import { listenError } from '../listen-error.ts';
import type { TcpAddress, TransportAddress, UnixAddress } from '../transport.ts';
import type { ListenPlan } from '../socket-source.ts';

const backlog = 1024;

interface BoundHandle {
  readonly handle: BoundSocket;
}

/**
 * Makes a server listen; rejects with a `HeddleError` that names the address. The file of a Unix socket that nobody listens
 * on any more is replaced, as after a crash; one that answers is not.
 */
export async function bind(
  server: Server,
  address: TransportAddress,
  plan: Pick<ListenPlan, 'sharesPort' | 'port'>,
  isTransparent: boolean,
): Promise<void> {
  try {
    if (isUnixAddress(address)) await listenOnFile(server, address);
    else if (plan.sharesPort) await listenOnSharedPort(server, address, plan.port, isTransparent);
    else if (isTransparent) await listen(server, transparentSocket(address, false));
    else await listen(server, { host: address.host, port: address.port });
  } catch (error) {
    throw error instanceof HeddleError ? error : listenError(address, error);
  }
}

/** Makes a server accept from a socket that listens already. */
export function adoptSocket(server: Server, descriptor: number): Promise<void> {
  return listen(server, { fd: descriptor });
}

/** Takes the file of a Unix socket away once nobody listens on it. */
export async function unbind(address: TransportAddress): Promise<void> {
  if (isUnixAddress(address) && !isAbstract(address)) await unlink(address.path).catch(() => undefined);
}

function isAbstract({ path }: UnixAddress): boolean {
  return path.startsWith('\0');
}

/**
 * Several sockets on one port share its connections. The first thread to come chooses the port and makes sure that no
 * other program has it: with `SO_REUSEPORT` both would get connections.
 */
async function listenOnSharedPort(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  chosen: number | null,
  isTransparent: boolean,
): Promise<void> {
  let shared = chosen;
  if (shared === null) {
    const probe = createServer();
    await listen(probe, { host, port });
    shared = (probe.address() as AddressInfo).port;
    await new Promise((resolve) => probe.close(resolve));
  }
  const address = { host, port: shared };
  await listen(server, isTransparent ? transparentSocket(address, true) : { ...address, reusePort: true });
}

async function listenOnFile(server: Server, address: UnixAddress): Promise<void> {
  const { path, mode } = address;
  if (isAbstract(address)) {
    await listen(server, { path });
    return;
  }
  if (await answers(path)) throw Object.assign(new Error('somebody answers there'), { code: 'EADDRINUSE' });
  // Under another name first: a file that nobody listens on any more is replaced in one step, and a server of Node's that
  // is closed takes the name away that it was bound to, which is not this one's if another process has taken it over.
  const temporary = `${path}~`;
  await unlink(temporary).catch(() => undefined);
  await listen(server, { path: temporary });
  if (mode !== undefined) await chmod(temporary, mode);
  await rename(temporary, path);
}

/** Bound, and transparent before the first connection can come. */
function transparentSocket({ host, port }: TcpAddress, reusePort: boolean): BoundHandle {
  const socket = new BoundSocket({ host, port, reusePort });
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
  where:
    | { readonly path: string }
    | { readonly fd: number }
    | { readonly host: string; readonly port: number; readonly reusePort?: boolean }
    | BoundHandle,
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
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemErrorCode(error))));
  });
}
