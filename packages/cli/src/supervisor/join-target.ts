// Finds the control plane that a workload joins and the token that admits it.
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { shellWord } from '../output/shell-word.ts';
import { readControlPlaneFile } from '../store/control-plane-file.ts';
import { isLoopback } from './process-inspector.ts';
import type { WorkloadOptions } from './workload-options.ts';

export interface JoinTarget {
  /** `host:port`. */
  readonly address: string;
  readonly token: string;
}

function failure(code: string, message: string, hint: string): CliError {
  return new CliError(code, message, { hint, exitCode: ExitCode.runFailed });
}

async function joinAddressInStore(store: string): Promise<string> {
  const state = await readControlPlaneFile(store);
  if (state === 'denied') {
    throw failure(
      'HEDDLE_STORE_DENIED',
      `this user may not read the store ${store}`,
      'run as the user who ran `heddle up`',
    );
  }
  if (state === 'absent') {
    throw failure(
      'HEDDLE_CONTROL_PLANE_UNREACHABLE',
      `no control plane has been started here: there is no mesh in ${store}`,
      'start one with `heddle up`, or name one on another machine with --join HOST:PORT',
    );
  }
  if (state === 'stopped') {
    throw failure(
      'HEDDLE_CONTROL_PLANE_UNREACHABLE',
      `the control plane of ${store} is not running`,
      `start it: heddle up --store ${shellWord(store)}`,
    );
  }
  if (state === 'damaged') {
    throw failure(
      'HEDDLE_STORE_CORRUPT',
      `${store}/control-plane.json is damaged`,
      'start the control plane again: it writes the file anew',
    );
  }
  return state.joinAddress;
}

/** Where and with what to join: what the user said, else what the store of a local control plane says. */
export async function findJoinTarget(
  options: Pick<WorkloadOptions, 'join' | 'token' | 'store'>,
): Promise<JoinTarget> {
  const address = options.join ?? (await joinAddressInStore(options.store));
  if (options.token !== null) return { address, token: options.token.trim() };
  const file = join(options.store, 'local-token');
  try {
    return { address, token: (await readFile(file, 'utf8')).trim() };
  } catch (error) {
    const why =
      systemErrorCode(error) === 'EACCES' ? `this user may not read ${file}` : `there is no ${file}`;
    throw failure(
      'HEDDLE_NO_TOKEN',
      `no join token: ${why}`,
      'make one with `heddle token create` where the control plane runs; --token-file or HEDDLE_TOKEN takes it',
    );
  }
}

/**
 * The address that others reach this machine at: loopback where the control plane is here too, otherwise the one from
 * which packets to the control plane would be sent. Asking the routing table sends nothing.
 */
export async function addressTowards(joinAddress: string): Promise<string> {
  const separator = joinAddress.lastIndexOf(':');
  const host = joinAddress.slice(0, separator).replaceAll(/[[\]]/g, '');
  if (host === 'localhost' || isLoopback(host)) return '127.0.0.1';
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.once('error', () => resolve('127.0.0.1'));
  socket.connect(Number(joinAddress.slice(separator + 1)), host, () => resolve(socket.address().address));
  const address = await promise;
  socket.close();
  return address;
}
