/** `/istio.v1.auth.IstioCertificateService/CreateCertificate`: renewal of the certificate by which the caller is known. */
import { errorMessage, type HeddleError, type Logger, type Result } from '@heddle/base';
import { decodePem, encodePem, parseSpiffeId, type SpiffeId } from '@heddle/identity';
import { RpcCode, type RpcMethod, type RpcReply } from '@heddle/xds';
import { IstioCertificateRequest, IstioCertificateResponse } from '@heddle/xds/api/istio/v1/auth/ca.ts';

export const createCertificateMethod = '/istio.v1.auth.IstioCertificateService/CreateCertificate';

/** As much of the certificate authority as the control plane's core needs. */
export interface CertificateIssuer {
  readonly trustDomain: string;
  /** PEM of all roots of the trust domain. */
  readonly bundlePem: string;
  /** End of the signing root's validity, in milliseconds since 1970. */
  readonly rootNotAfterMs: number;
  /** Issues a certificate for whom `id` has been proven. The result is PEM, leaf first, without the root. */
  issueWorkload(
    id: SpiffeId,
    requestPem: string,
  ): Promise<Result<{ readonly certificateChain: string }, HeddleError>>;
}

export interface CertificateServiceOptions {
  readonly issuer: CertificateIssuer;
  readonly logger: Logger;
  onRequest(): void;
  onIssued(): void;
}

function failed(code: number, message: string): RpcReply {
  return { status: { code, message }, message: new Uint8Array(0) };
}

/** One PEM text per certificate, as Istio's clients expect them. */
function splitChain(pem: string): string[] {
  const blocks = decodePem('CERTIFICATE', pem);
  return blocks.ok ? blocks.value.map((block) => encodePem('CERTIFICATE', block)) : [];
}

export function certificateService(options: CertificateServiceOptions): RpcMethod {
  const { issuer, logger } = options;
  return {
    kind: 'unary',
    handle: async (request, peer) => {
      options.onRequest();
      let csr: string;
      try {
        ({ csr } = IstioCertificateRequest.decode(request));
      } catch (error) {
        return failed(RpcCode.invalidArgument, `Not an IstioCertificateRequest: ${errorMessage(error)}`);
      }
      // Only who the caller has proven to be; a request for another name is refused by the authority.
      const id = parseSpiffeId(peer.identity);
      if (!id.ok) return failed(RpcCode.permissionDenied, 'The certificate names no workload.');
      const issued = await issuer.issueWorkload(id.value, csr);
      if (!issued.ok) {
        logger.warn('A certificate was refused', { identity: peer.identity, code: issued.error.code });
        return failed(RpcCode.permissionDenied, issued.error.message);
      }
      options.onIssued();
      const certChain = [...splitChain(issued.value.certificateChain), ...splitChain(issuer.bundlePem)];
      const message = IstioCertificateResponse.encode(
        IstioCertificateResponse.fromPartial({ certChain }),
      ).finish();
      return { status: { code: RpcCode.ok, message: '' }, message };
    },
  };
}
