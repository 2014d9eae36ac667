// Reads `control-plane.json`, in which a running control plane says where it is.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '@heddle/base';

/** A control plane that runs, or ran last. */
export interface ControlPlaneFile {
  readonly pid: number;
  /** `host:port` each. */
  readonly apiAddress: string;
  readonly xdsAddress: string;
  readonly joinAddress: string;
}

/** `stopped`: there is a mesh, and no control plane runs for it. `absent`: there is none. */
export type ControlPlaneFileState = ControlPlaneFile | 'absent' | 'stopped' | 'denied' | 'damaged';

/** What the store says about its control plane. */
export async function readControlPlaneFile(store: string): Promise<ControlPlaneFileState> {
  let text: string;
  try {
    text = await readFile(join(store, 'control-plane.json'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'EACCES') return 'denied';
    return existsSync(join(store, 'heddle.db')) ? 'stopped' : 'absent';
  }
  try {
    const value = JSON.parse(text) as Partial<ControlPlaneFile> | null;
    const isComplete =
      typeof value?.pid === 'number' &&
      typeof value.apiAddress === 'string' &&
      typeof value.xdsAddress === 'string' &&
      typeof value.joinAddress === 'string';
    return isComplete ? (value as ControlPlaneFile) : 'damaged';
  } catch {
    return 'damaged';
  }
}
