// The way to the control plane: mTLS with this workload's certificate, to the control plane's SPIFFE id and nobody else.
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { type Clock, HeddleError } from '@heddle/base';
import {
  type WorkloadIdentity,
  controlPlaneSpiffeId,
  trustBundles,
  trustDomainOf,
  verifyPeer,
} from '@heddle/identity';

/** Splits `host:port`, IPv6 addresses in brackets. */
function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(separator + 1)) };
}

/**
 * Makes one verified connection for the RPC client. The certificate and the bundle are read anew each time, so that a
 * renewed identity is used from the next connection on.
 */
export function connectToControlPlane(
  identity: WorkloadIdentity,
  clock: Clock,
  signal: AbortSignal,
): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const { host, port } = parseAddress(identity.xdsAddress);
  const bundle = identity.bundle;
  const expected = controlPlaneSpiffeId(trustDomainOf(identity.id));
  const socket = connect({
    host,
    port,
    key: identity.certificate.privateKey,
    cert: identity.certificate.certificateChain,
    ca: bundle.pem,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    // Names are SPIFFE ids here; checked below, after every handshake.
    checkServerIdentity: () => undefined,
  });
  const abort = (): void => {
    socket.destroy(new Error('connecting was given up'));
  };
  signal.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', abort));
  socket.once('error', reject);
  socket.once('secureConnect', () => {
    const peer = verifyPeer(socket, trustBundles(bundle), 'server', clock);
    if (!peer.ok || peer.value.id !== expected) {
      const reason = peer.ok ? `it is ${peer.value.id}` : peer.error.detail;
      socket.destroy();
      reject(
        new HeddleError(
          'HEDDLE_CONTROL_PLANE_UNTRUSTED',
          `The server at ${identity.xdsAddress} is not this mesh's control plane: ${reason}.`,
        ),
      );
      return;
    }
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      reject(
        new HeddleError(
          'HEDDLE_CONTROL_PLANE_UNTRUSTED',
          `The server at ${identity.xdsAddress} does not speak HTTP/2.`,
        ),
      );
      return;
    }
    socket.off('error', reject);
    socket.setNoDelay(true);
    resolve(socket);
  });
  return promise;
}
