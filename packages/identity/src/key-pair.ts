import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type Result, err, ok } from '@heddle/base';

/** A workload's key. The private half leaves the process only as a file in the state directory. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * Makes an ECDSA P-256 key: every peer of today takes it, and signing costs a tenth of RSA-2048. Takes about 50 µs, so
 * there is no reason to go through the thread pool.
 */
export function generateKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** The private key as PKCS#8 PEM. A secret: for the state directory and TLS contexts only. */
export function exportPrivateKey(key: KeyPair): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** Reads a private key from PKCS#8 PEM. The error repeats nothing of the text. */
export function importPrivateKey(pem: string): Result<KeyPair, string> {
  try {
    const privateKey = createPrivateKey({ key: pem, format: 'pem', type: 'pkcs8' });
    return ok({ privateKey, publicKey: createPublicKey(privateKey) });
  } catch {
    return err('the private key cannot be read');
  }
}
