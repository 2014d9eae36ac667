// Hot path.
import { frameHeaderBytes, maxPayloadBytes } from './frame.ts';

/** Four full frames: what a bulk transfer takes to the kernel at a time. */
export const blockBytes = 4 * (frameHeaderBytes + maxPayloadBytes);
/** Kept for later: 1 MiB. */
const maxFree = 16;

const free: Buffer[] = [];

/** Memory for frames that are about to leave. To be given back as soon as they have. */
export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
}

export function giveBlockBack(block: Buffer): void {
  if (free.length < maxFree) free.push(block);
}
