// What a peer hears that is refused when its handshake is over. Node judges certificates only then, and TLS has no more
// alerts for it; but what this side wrote last has not left yet, so that an alert still comes in its stead.
import { createCipheriv, createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@heddle/base';
import { latin1 } from '../latin1.ts';
import { type StreamHandle, writesWithoutRequest } from './stream-handle.ts';

/** Why a peer is refused (RFC 8446 §6.2, RFC 6066 §9). */
export const TlsAlert = {
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  unknownAuthority: 48,
  decryptError: 51,
  missingExtension: 109,
  badCertificateHash: 114,
  certificateRequired: 116,
} as const;

export type TlsAlert = (typeof TlsAlert)[keyof typeof TlsAlert];

const fatal = 2;
const alertRecord = 21;
const dataRecord = 23;
const tagBytes = 16;
const ivBytes = 12;
/** How long a refused client may take to read why. */
const lingerMs = 1000;

interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly hash: 'sha256' | 'sha384';
  readonly keyBytes: number;
}

const suites: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', hash: 'sha256', keyBytes: 16 },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', hash: 'sha384', keyBytes: 32 },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', hash: 'sha256', keyBytes: 32 },
};

/** Can refuse the peer of one socket; to be made before the handshake, and told that it isn't needed where all is well. */
export class TlsRefusal {
  private readonly socket: TLSSocket;
  private readonly isServer: boolean;
  private readonly listener: (line: Buffer) => void;
  /** Of TLS 1.3: what the first record behind the handshake's messages of this side is encrypted with. */
  private secret: Buffer | null = null;

  constructor(socket: TLSSocket, isServer: boolean) {
    this.socket = socket;
    this.isServer = isServer;
    // A server has ended its messages when it reads the client's; a client's last ones have not left yet.
    const label = isServer ? 'SERVER_TRAFFIC_SECRET_0 ' : 'CLIENT_HANDSHAKE_TRAFFIC_SECRET ';
    this.listener = (line) => {
      if (latin1(line, 0, label.length) !== label) return;
      const hexStart = line.lastIndexOf(' ') + 1;
      this.secret = Buffer.from(latin1(line, hexStart, line.length - 1), 'hex');
    };
    socket.on('keylog', this.listener);
  }

  /** The peer is welcome: forgets the secret. */
  cancel(): void {
    this.socket.off('keylog', this.listener);
    this.secret?.fill(0);
    this.secret = null;
  }

  /**
   * Writes the alert; to be called while `secure` is emitted, before TLS writes on. False where none can be made: TLS 1.2,
   * but for a server's full handshake. Either way the socket is to be closed by whoever calls.
   */
  alert(alert: TlsAlert): boolean {
    const record = this.record(alert);
    this.cancel();
    const handle = handleBelow(this.socket);
    return record !== null && handle !== null && handle.writeBuffer(null, record) === 0;
  }

  /** As a server: sends the alert and closes. `raw` is what the socket runs over. */
  send(alert: TlsAlert, raw: Socket, clock: Clock): void {
    const { socket } = this;
    if (!this.alert(alert)) {
      socket.end();
      socket.destroySoon();
      return;
    }
    // A connection that is closed while bytes of the client's are on their way is reset, and might take the alert along.
    const timer = clock.setTimer(lingerMs, () => socket.destroy());
    socket.once('close', () => timer.cancel());
    socket.once('end', () => socket.destroy());
    socket.resume();
    raw.end();
  }

  private record(alert: TlsAlert): Buffer | null {
    const { socket, secret } = this;
    if (socket.getProtocol() !== 'TLSv1.3') {
      // The server's side is encrypted from its Finished on, which comes last in a full handshake.
      const isPlain = this.isServer && !socket.isSessionReused();
      return isPlain ? Buffer.from([alertRecord, 3, 3, 0, 2, fatal, alert]) : null;
    }
    const suite = suites[socket.getCipher().name];
    return suite === undefined || secret === null ? null : encryptedAlert(alert, suite, secret);
  }
}

/** The first record under a traffic secret (RFC 8446 §5.2), whose nonce therefore is the IV as it is. */
function encryptedAlert(alert: TlsAlert, suite: Suite, secret: Buffer): Buffer {
  const key = expandLabel(suite.hash, secret, 'key', suite.keyBytes);
  const iv = expandLabel(suite.hash, secret, 'iv', ivBytes);
  const inner = Buffer.from([fatal, alert, alertRecord]);
  const header = Buffer.from([dataRecord, 3, 3, 0, inner.length + tagBytes]);
  // Node's types have no signature with a union of AEAD ciphers; all three take these options.
  const cipher = createCipheriv(suite.cipher as 'chacha20-poly1305', key, iv, { authTagLength: tagBytes });
  cipher.setAAD(header, { plaintextLength: inner.length });
  return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
}

/** HKDF-Expand-Label without a context (RFC 8446 §7.1), for at most one block. */
function expandLabel(hash: Suite['hash'], secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, length);
}

/** The TCP or Unix socket's handle under that of TLS: Node's name for it is private. */
function handleBelow(socket: TLSSocket): StreamHandle | null {
  if (!writesWithoutRequest) return null;
  const { _handle: handle } = socket as unknown as {
    readonly _handle: { readonly _parent?: StreamHandle } | null;
  };
  return handle?._parent ?? null;
}
