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

const noSecrets: ReadonlyMap<string, StaticSecret> = new Map();

/**
 * Files relative to the working directory, as Envoy's. Configuration is compiled again when it is first used, and what has
 * been accepted then must not fail: `remembered` gives files as they were when they were last read.
 */
export class FileMaterials implements TlsMaterials {
  readonly remembered: TlsMaterials;
  /** Set once the secrets themselves have been read. */
  secrets: ReadonlyMap<string, StaticSecret> = noSecrets;
  private readonly contents = new Map<string, Buffer>();

  constructor() {
    this.remembered = {
      read: (filename) => {
        const content = this.contents.get(filename);
        return content === undefined ? this.read(filename) : ok(content);
      },
      secret: (name) => this.secret(name),
    };
  }

  read(filename: string): Result<Buffer, string> {
    try {
      const content = readFileSync(filename);
      this.contents.set(filename, content);
      return ok(content);
    } catch (error) {
      const code = systemErrorCode(error);
      return err(code === 'ENOENT' ? 'there is no such file' : code === '' ? errorMessage(error) : code);
    }
  }

  secret(name: string): StaticSecret | null {
    return this.secrets.get(name) ?? null;
  }
}
