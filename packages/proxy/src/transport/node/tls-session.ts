import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsSession } from '../transport.ts';

/** Reads from a socket what its handshake agreed on; to be called when it has ended and `peer` is verified. */
export function tlsSessionOf(socket: TLSSocket, peer: PeerCertificate | null): TlsSession {
  // Before a name is known Node says false or null, whatever its type says.
  const { servername } = socket as { readonly servername?: string | false | null };
  const { alpnProtocol } = socket;
  return {
    serverName: typeof servername === 'string' ? servername : '',
    alpn: typeof alpnProtocol === 'string' ? alpnProtocol : '',
    version: socket.getProtocol() === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3',
    cipher: socket.getCipher().name,
    isResumed: socket.isSessionReused(),
    peer,
  };
}
