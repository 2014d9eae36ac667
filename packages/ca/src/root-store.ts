import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, HeddleError, type Result, err, errorMessage, ok, systemErrorCode } from '@heddle/base';
import { type TrustDomain, writeFileAtomically } from '@heddle/identity';
import { failure } from './ca-error.ts';
import { type Root, createRoot, readRoot } from './root.ts';

export interface RootStoreOptions {
  /** Where `root.pem` and `root.key` live; made, for the owner only, where it is missing. */
  readonly directory: string;
  readonly trustDomain: TrustDomain;
  readonly clock: Clock;
}

function fileFailure(path: string, error: unknown): { readonly ok: false; readonly error: HeddleError } {
  const reason = systemErrorCode(error) || errorMessage(error);
  return failure(
    'HEDDLE_CA_FILES',
    `The certificate authority's file ${path} cannot be read or written: ${reason}.`,
    error,
  );
}

async function readIfThere(path: string): Promise<Result<string | null, HeddleError>> {
  try {
    return ok(await readFile(path, 'utf8'));
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? ok(null) : fileFailure(path, error);
  }
}

/** A key that others could read may have been read: say so instead of closing the door behind the thief. */
async function exposure(keyPath: string): Promise<HeddleError | null> {
  const { mode } = await stat(keyPath);
  if ((mode & 0o077) === 0) return null;
  const message = `The root key ${keyPath} can be read by others; make sure that nobody has, then run chmod 600 on it.`;
  return new HeddleError('HEDDLE_CA_KEY_EXPOSED', message);
}

/**
 * Opens the root in a directory, making one where there is none. Never makes one where half of it is left: everybody
 * who trusts the old root would be cut off.
 */
export async function openRoot(options: RootStoreOptions): Promise<Result<Root, HeddleError>> {
  const { directory, trustDomain, clock } = options;
  const certificatePath = join(directory, 'root.pem');
  const keyPath = join(directory, 'root.key');
  const certificates = await readIfThere(certificatePath);
  if (!certificates.ok) return certificates;
  const privateKey = await readIfThere(keyPath);
  if (!privateKey.ok) return privateKey;
  if (certificates.value !== null && privateKey.value !== null) {
    const exposed = await exposure(keyPath);
    if (exposed !== null) return err(exposed);
    return readRoot({ certificates: certificates.value, privateKey: privateKey.value }, trustDomain, clock);
  }
  if (certificates.value !== null || privateKey.value !== null) {
    const missing = certificates.value === null ? certificatePath : keyPath;
    const left = certificates.value === null ? keyPath : certificatePath;
    const message = `The certificate authority's file ${missing} is missing; restore it, or remove ${left} too for a new root.`;
    return failure('HEDDLE_CA_CORRUPT', message);
  }
  const files = await createRoot(trustDomain, clock);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFileAtomically(keyPath, files.privateKey);
    await writeFileAtomically(certificatePath, files.certificates);
  } catch (error) {
    return fileFailure(directory, error);
  }
  return readRoot(files, trustDomain, clock);
}
