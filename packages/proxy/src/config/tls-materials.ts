import { readFileSync } from 'node:fs';
import { type Result, err, errorMessage, ok, systemErrorCode } from '@heddle/base';
import type { GivenTicketKey, RootsValidation } from '../tls/tls-config.ts';
import type { StaticCertificate } from '../tls/static-certificate.ts';

/** A secret that the configuration itself has, under `static_resources.secrets`. */
export type StaticSecret =
  | { readonly kind: 'certificate'; readonly certificate: StaticCertificate }
  | { readonly kind: 'validation'; readonly validation: RootsValidation }
  | { readonly kind: 'ticket-keys'; readonly keys: readonly GivenTicketKey[] };

/** What TLS contexts refer to and do not hold themselves. */
export interface TlsMaterials {
  /** A file's content, or in a few words why it can't be had. */
  read(filename: string): Result<Buffer, string>;
  /** The static secret of this name, or null. */
  secret(name: string): StaticSecret | null;
}

/** For configurations that hold everything themselves. */
export const noMaterials: TlsMaterials = Object.freeze({
  read: () => err('files are not read here'),
  secret: () => null,
});

/** What a configuration needed that it does not hold: threads that share it must not find something else. */
export interface MaterialsRecord {
  /** Content by name, as it was read last. */
  readonly files: Map<string, Uint8Array>;
  /** Encoded `Secret`s. */
  readonly secrets: readonly Uint8Array[];
}

const noSecrets: ReadonlyMap<string, StaticSecret> = new Map();

/**
 * Files relative to the working directory, as Envoy's. Configuration is compiled again when it is first used, and what has
 * been accepted then must not fail: `remembered` gives files as they were when they were last read.
 */
export class FileMaterials implements TlsMaterials {
  readonly remembered: TlsMaterials;
  private files = new Map<string, Uint8Array>();
  private secrets: ReadonlyMap<string, StaticSecret> = noSecrets;
  /** Another thread has read the files. */
  private isAdopted = false;

  constructor() {
    this.remembered = {
      read: (filename) => {
        const content = this.files.get(filename);
        return content === undefined ? this.readNow(filename) : ok(Buffer.from(content));
      },
      secret: (name) => this.secret(name),
    };
  }

  read(filename: string): Result<Buffer, string> {
    return this.isAdopted ? this.remembered.read(filename) : this.readNow(filename);
  }

  secret(name: string): StaticSecret | null {
    return this.secrets.get(name) ?? null;
  }

  /** Notes in `record` what is read from now on. The static secrets come from the caller, who has compiled them. */
  keepIn(record: MaterialsRecord): void {
    this.files = record.files;
  }

  /** Takes what another thread has read instead of reading. */
  adopt(record: MaterialsRecord): void {
    this.files = record.files;
    this.isAdopted = true;
  }

  setSecrets(secrets: ReadonlyMap<string, StaticSecret>): void {
    this.secrets = secrets;
  }

  private readNow(filename: string): Result<Buffer, string> {
    try {
      const content = readFileSync(filename);
      this.files.set(filename, content);
      return ok(content);
    } catch (error) {
      const code = systemErrorCode(error);
      return err(code === 'ENOENT' ? 'there is no such file' : code === '' ? errorMessage(error) : code);
    }
  }
}
