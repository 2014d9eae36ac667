// A sidecar that is replaced in place: its sockets go to the supervisor, over the channel between the two, and from there to
// the one that takes over.
import { Socket } from 'node:net';
import type { OpenSocket } from '../transport/socket-source.ts';
import type { FromSidecar } from './messages.ts';

/** The first descriptor behind standard input, output, error and the channel. */
const firstDescriptor = 4;
const variable = 'HEDDLE_SIDECAR_SOCKETS';

/** What of `process` takes to send sockets. */
interface Channel {
  send?(
    message: FromSidecar,
    handle: unknown,
    options: { readonly keepOpen: boolean },
    callback: (error: Error | null) => void,
  ): boolean;
}

/** Sends them one after the other; rejects where one can't be sent. */
export async function sendSockets(sockets: readonly OpenSocket[], channel: Channel = process): Promise<void> {
  for (const { address, descriptor, handle } of sockets) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    channel.send?.({ type: 'socket', address }, handle ?? handleOf(descriptor), { keepOpen: true }, (error) =>
      error === null ? resolve() : reject(error),
    );
    await promise;
  }
}

/** Handles made so far: closing one would close the socket of its owner, so that they are kept, and used again. */
const made = new Map<number, unknown>();

/** Something that Node can send, for a descriptor that its event loop on this thread does not know. */
function handleOf(descriptor: number): unknown {
  let handle = made.get(descriptor);
  if (handle === undefined) {
    const options = { fd: descriptor, readable: false, writable: false, manualStart: true };
    handle = (new Socket(options) as unknown as { readonly _handle: unknown })._handle;
    made.set(descriptor, handle);
  }
  return handle;
}

/**
 * How a sidecar that takes over is told which of the descriptors that it inherits is what, in their order. One that takes
 * nothing over is not told anything, whatever else is in the environment.
 */
export function environmentOfSockets(addresses: readonly string[]): NodeJS.ProcessEnv {
  return { [variable]: addresses.length === 0 ? undefined : JSON.stringify(addresses) };
}

/** The sockets that this process was started with; none where it takes nothing over. */
export function receiveSockets(environment: NodeJS.ProcessEnv = process.env): readonly OpenSocket[] {
  const text = environment[variable];
  delete environment[variable];
  const addresses = text === undefined ? [] : (JSON.parse(text) as string[]);
  return addresses.map((address, index) => ({ address, descriptor: firstDescriptor + index }));
}
