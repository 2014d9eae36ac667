import { HeddleError, err, ok } from '@heddle/base';
import type { RequestCertificate } from '@heddle/identity';
import type { RpcClient } from '@heddle/xds';
import { IstioCertificateRequest, IstioCertificateResponse } from '@heddle/xds/api/istio/v1/auth/ca.ts';

const method = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
const timeoutMs = 10_000;

/** Has certificate requests signed by the control plane; the certificate in force says who asks. */
export function certificateRequester(rpc: RpcClient): RequestCertificate {
  return async (csr) => {
    const request = IstioCertificateRequest.encode(IstioCertificateRequest.fromPartial({ csr })).finish();
    const { status, message } = await rpc.call(method, request, timeoutMs);
    if (status.code !== 0) {
      return err(
        new HeddleError(
          'HEDDLE_CERTIFICATE_REFUSED',
          `The control plane did not sign the certificate request: ${status.message}.`,
        ),
      );
    }
    return ok(IstioCertificateResponse.decode(message).certChain.join(''));
  };
}
