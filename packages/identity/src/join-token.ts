import { inspect } from 'node:util';
import { HeddleError, type Result, err, ok } from '@heddle/base';

const version = 'hdl1';
const idPattern = /^[A-Za-z0-9_-]{8,64}$/;
const secretBytes = 32;
const hashBytes = 32;

/**
 * What lets a sidecar join: `hdl1.<id>.<secret>.<SHA-256 of the root certificate>`, the last three base64url. The hash
 * tells the sidecar its control plane before it says anything. Prints and serialises without the secret.
 */
export class JoinToken {
  readonly id: string;
  /** SHA-256 of the root certificate's DER, base64url. */
  readonly rootSha256: string;
  readonly #secret: string;

  constructor(id: string, secret: string, rootSha256: string) {
    this.id = id;
    this.#secret = secret;
    this.rootSha256 = rootSha256;
  }

  /** What the control plane is shown: `<id>.<secret>`. A secret. */
  credential(): string {
    return `${this.id}.${this.#secret}`;
  }

  /** The whole token as people pass it on. A secret. */
  text(): string {
    return `${version}.${this.id}.${this.#secret}.${this.rootSha256}`;
  }

  toString(): string {
    return `JoinToken(${this.id})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

function isBase64url(text: string, byteCount: number): boolean {
  const bytes = Buffer.from(text, 'base64url');
  // Spelled the one way that the bytes have: no padding, no other alphabet, no bits too many.
  return bytes.length === byteCount && bytes.toString('base64url') === text;
}

function invalid(reason: string): { readonly ok: false; readonly error: HeddleError } {
  return err(new HeddleError('HEDDLE_JOIN_TOKEN_INVALID', `The join token is not usable: ${reason}.`));
}

/** Reads a token. The error is one sentence that repeats nothing of the text. */
export function parseJoinToken(text: string): Result<JoinToken, HeddleError> {
  const parts = text.trim().split('.');
  const [head, id = '', secret = '', rootSha256 = ''] = parts;
  if (head !== version) return invalid(`it does not start with '${version}.'`);
  if (parts.length !== 4)
    return invalid(`it has ${parts.length} parts instead of 4, so it was not copied whole`);
  if (!idPattern.test(id)) return invalid('its id is damaged');
  if (!isBase64url(secret, secretBytes)) return invalid('its secret is damaged');
  if (!isBase64url(rootSha256, hashBytes)) return invalid('its hash of the root certificate is damaged');
  return ok(new JoinToken(id, secret, rootSha256));
}
