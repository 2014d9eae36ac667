// Hot path.
// Node's own handle below a socket. Its stream layer costs more than the write itself: from Node 26.10 a write with null
// for its request answers at once with 0 where the kernel has taken everything, and only else makes a request.
import type { Socket } from 'node:net';

/** What is used of a TCP or Unix socket's handle. Writes answer with 0, a negative error number, or a request object. */
export interface StreamHandle {
  reading: boolean;
  readonly fd: number;
  /** Bytes that wait in memory. */
  readonly writeQueueSize: number;
  readStart(): number;
  readStop(): number;
  /** TCP only. */
  readonly reset?: unknown;
  writeBuffer(request: null, bytes: Uint8Array): number | object;
  writeLatin1String(request: null, text: string): number | object;
}

/** The handle of a plain socket; null once it is destroyed. Node has no public name for it, and 18 to 26 call it the same. */
export function handleOf(socket: Socket): StreamHandle | null {
  return (socket as unknown as { readonly _handle: StreamHandle | null })._handle;
}

/**
 * Whether handles can be written to without a request. It can't be tried out: older versions abort the process. Where it
 * isn't so, Node's streams are written to, which is slower and the same for everybody else.
 */
export const writesWithoutRequest = isAtLeast(26, 10);

function isAtLeast(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
