// Certificate, key and roots as files that are replaced all at once.
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkloadIdentity } from '@heddle/identity';
import type { CertificateFiles } from './grpc-bootstrap.ts';

const currentName = 'current';

/**
 * A directory `current` that is a link: it leads from one set of files to the next in one step, so that nobody who reads it sees a
 * certificate beside another one's key.
 */
export class CertificateDirectory {
  readonly files: CertificateFiles;
  private readonly directory: string;
  private sets = 0;

  constructor(directory: string) {
    this.directory = directory;
    const file = (name: string): string => join(directory, currentName, name);
    this.files = {
      certificate: file('certificate.pem'),
      privateKey: file('key.pem'),
      roots: file('roots.pem'),
    };
  }

  /** Readable by the owner only. Rejects with the system's error; what was there before stays then. */
  async write({ certificate, bundle }: Pick<WorkloadIdentity, 'certificate' | 'bundle'>): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const name = `${process.pid}-${++this.sets}`;
    const set = join(this.directory, name);
    await mkdir(set, { mode: 0o700 });
    const write = (file: string, text: string): Promise<void> =>
      writeFile(join(set, file), text, { mode: 0o600, flag: 'wx' });
    await write('certificate.pem', certificate.certificateChain);
    await write('key.pem', certificate.privateKey);
    await write('roots.pem', bundle.pem);
    const link = join(this.directory, `.${name}`);
    await symlink(name, link);
    await rename(link, join(this.directory, currentName));
    for (const other of await readdir(this.directory))
      if (other !== name && other !== currentName)
        await rm(join(this.directory, other), { recursive: true, force: true });
  }
}
