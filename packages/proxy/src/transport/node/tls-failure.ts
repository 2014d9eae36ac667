import { systemErrorCode } from '@heddle/base';
import type { TlsObserver } from '../../tls/link-security.ts';

/** OpenSSL's names for what it may have against a certificate, as Node gives them as codes. */
const certificateCodes = /CERT|^SELF_SIGNED|^UNABLE_TO_|^INVALID_(?:CA|PURPOSE)$|^PATH_LENGTH|^(?:CRL|CA)_/;

/** Whether an error's code is about the peer's certificate. */
function isCertificateCode(code: string): boolean {
  return certificateCodes.test(code) && !code.startsWith('ERR_');
}

/** Whether an error's code comes from TLS rather than from the network. */
export function isTlsCode(code: string): boolean {
  return (
    code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' || isCertificateCode(code)
  );
}

/** Counts what a TLS socket failed of. What the network did counts nowhere here, as with Envoy. */
export function countFailure(observer: TlsObserver | null, error: Error): void {
  if (observer === null) return;
  const code = systemErrorCode(error);
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') observer.onPeerRefused('no-certificate');
  else if (isCertificateCode(code)) observer.onPeerRefused('error');
  else if (code === '' || isTlsCode(code)) observer.onConnectionError();
}
