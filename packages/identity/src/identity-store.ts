import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError, type Result, err, ok, systemErrorCode } from '@heddle/base';
import { writeFileAtomically } from './atomic-file.ts';

/** What a sidecar keeps on disk to start again without its control plane. */
export interface StoredIdentity {
  /** PKCS#8 PEM. A secret. */
  readonly privateKey: string;
  /** PEM, leaf first. */
  readonly certificateChain: string;
  /** PEM of the roots of the workload's own trust domain. */
  readonly bundle: string;
  /** `host:port` of the control plane's xDS listener. */
  readonly xdsAddress: string;
}

const separator = '-----BEGIN CERTIFICATE-----';

function unusable(path: string, reason: string): { readonly ok: false; readonly error: HeddleError } {
  return err(
    new HeddleError(
      'HEDDLE_IDENTITY_STATE_INVALID',
      `The stored identity in ${path} cannot be used: ${reason}. Remove the file and join again with a token.`,
    ),
  );
}

/**
 * The identity's files in a sidecar's state directory. Key and certificate share one file, because two files can't be
 * replaced in one step, and a key beside another key's certificate is worth nothing.
 */
export class IdentityStore {
  private readonly identityPath: string;
  private readonly bundlePath: string;
  private readonly meshPath: string;

  constructor(stateDirectory: string) {
    this.identityPath = join(stateDirectory, 'identity.pem');
    this.bundlePath = join(stateDirectory, 'bundle.pem');
    this.meshPath = join(stateDirectory, 'mesh.json');
  }

  /** Reads what is stored; null where nothing is. What the files say is not believed yet: see `workloadIdentityOf`. */
  async read(): Promise<Result<StoredIdentity | null, HeddleError>> {
    const contents: string[] = [];
    for (const path of [this.identityPath, this.bundlePath, this.meshPath]) {
      try {
        contents.push(await readFile(path, 'utf8'));
      } catch (error) {
        // The identity is written last when joining: without it nothing was ever complete.
        if (path === this.identityPath && systemErrorCode(error) === 'ENOENT') return ok(null);
        return unusable(path, `it cannot be read (${systemErrorCode(error)})`);
      }
    }
    const [identity = '', bundle = '', mesh = ''] = contents;
    const split = identity.indexOf(separator);
    if (split < 0) return unusable(this.identityPath, 'it holds no certificate');
    const xdsAddress = readXdsAddress(mesh);
    if (xdsAddress === null) return unusable(this.meshPath, 'it is damaged');
    return ok({
      privateKey: identity.slice(0, split),
      certificateChain: identity.slice(split),
      bundle,
      xdsAddress,
    });
  }

  /** Stores everything, the identity last. Rejects with the system's error. */
  async write(stored: StoredIdentity): Promise<void> {
    await this.writeMesh(stored.xdsAddress);
    await this.writeBundle(stored.bundle);
    await this.writeCertificate(stored.privateKey, stored.certificateChain);
  }

  /** Replaces key and certificate in one step. */
  writeCertificate(privateKey: string, certificateChain: string): Promise<void> {
    return writeFileAtomically(this.identityPath, `${privateKey}${certificateChain}`);
  }

  writeBundle(bundle: string): Promise<void> {
    return writeFileAtomically(this.bundlePath, bundle);
  }

  private writeMesh(xdsAddress: string): Promise<void> {
    return writeFileAtomically(this.meshPath, `${JSON.stringify({ xdsAddress })}\n`);
  }
}

function readXdsAddress(text: string): string | null {
  try {
    const mesh: unknown = JSON.parse(text);
    if (typeof mesh !== 'object' || mesh === null || !('xdsAddress' in mesh)) return null;
    return typeof mesh.xdsAddress === 'string' ? mesh.xdsAddress : null;
  } catch {
    return null;
  }
}
