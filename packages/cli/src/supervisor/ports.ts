import { createSocket, type Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type Random, systemErrorCode, systemRandom } from '@heddle/base';
import { CliError } from '../cli-error.ts';

/** Ports a block holds, the first of which is its claim. */
const blockSize = 8;
const firstPort = 20_000;
/** The usual start of the range from which systems take the local ports of outgoing connections. */
const usualEphemeralStart = 32_768;

/** Whether something could listen there now. */
export async function isPortFree(port: number, address = '127.0.0.1'): Promise<boolean> {
  return (await tryToListen(port, address)) === '';
}

/** Listens for a moment; returns the system's error code, empty where it worked. */
export async function tryToListen(port: number, address: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer();
  server.once('error', (error) => resolve(systemErrorCode(error)));
  server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve('')));
  return promise;
}

/** Refuses a port that the user named and something else holds. */
export async function requireFreePort(port: number, address: string, flag: string): Promise<void> {
  const code = await tryToListen(port, address);
  if (code === '') return;
  const place = `${address}:${port}`;
  if (code === 'EACCES') {
    throw new CliError('HEDDLE_PORT_DENIED', `${flag}: this user may not listen on ${place}`, {
      hint: 'ports below 1024 need privileges: choose a higher one',
    });
  }
  if (code === 'EADDRNOTAVAIL') {
    throw new CliError('HEDDLE_ADDRESS_UNAVAILABLE', `${flag}: ${address} is no address of this machine`);
  }
  throw new CliError('HEDDLE_PORT_IN_USE', `${flag}: port ${port} on ${address} is in use`, {
    hint: `end what listens there, or choose another port`,
  });
}

async function bindClaim(port: number): Promise<Socket | null> {
  const { promise, resolve } = Promise.withResolvers<Socket | null>();
  const socket = createSocket('udp4');
  socket.once('error', () => {
    socket.close();
    resolve(null);
  });
  socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(socket));
  return promise;
}

/**
 * Chooses free ports for one workload and keeps other supervisors off them for as long as it lives.
 *
 * Finding a port free and using it are two steps, and between them another `heddle run` could choose the same one. So
 * ports come in blocks, and whoever holds the UDP port of a block's first number owns the block: two can't bind it, the
 * kernel frees it even after kill -9, and nothing ever arrives there. The ports stay the same when a sidecar is started
 * again. They lie below the range from which the system takes ports for outgoing connections: one of those could
 * otherwise sit on our port while the sidecar is away.
 */
export class PortBlocks {
  private readonly random: Random;
  private readonly claims: Socket[] = [];
  private spare: number[] = [];

  constructor(random: Random = systemRandom) {
    this.random = random;
  }

  /** A port free for TCP on loopback (and on `address`). */
  async take(address = '127.0.0.1'): Promise<number> {
    for (;;) {
      const port = this.spare.shift();
      if (port === undefined) await this.claimBlock();
      else if ((await isPortFree(port)) && (address === '127.0.0.1' || (await isPortFree(port, address)))) {
        return port;
      }
    }
  }

  /** Gives the blocks up. */
  close(): void {
    for (const claim of this.claims.splice(0)) claim.close();
    this.spare = [];
  }

  private async claimBlock(): Promise<void> {
    const end = Math.min(await ephemeralStart(), usualEphemeralStart);
    const blocks = Math.floor((end - firstPort) / blockSize);
    const start = blocks > 0 ? this.random.uint32() % blocks : 0;
    for (let i = 0; i < blocks; i++) {
      const first = firstPort + ((start + i) % blocks) * blockSize;
      const claim = await bindClaim(first);
      if (claim === null) continue;
      claim.unref();
      this.claims.push(claim);
      for (let port = first + 1; port < first + blockSize; port++) this.spare.push(port);
      return;
    }
    throw new CliError('HEDDLE_NO_FREE_PORTS', `no free block of ports between ${firstPort} and ${end}`, {
      hint: 'end workloads that are no longer needed',
    });
  }
}

/** Where the system's range of ports for outgoing connections begins. */
async function ephemeralStart(): Promise<number> {
  try {
    const first = Number.parseInt(await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return first > firstPort + blockSize ? first : usualEphemeralStart;
  } catch {
    return usualEphemeralStart;
  }
}
