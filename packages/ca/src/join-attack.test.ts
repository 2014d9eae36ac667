import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type SecureContext, TLSSocket, createSecureContext } from 'node:tls';
import { type HeddleError, systemClock } from '@heddle/base';
import {
  type JoinOptions,
  createCertificateRequest,
  exportPrivateKey,
  generateKeyPair,
  joinMesh,
  parseSpiffeId,
} from '@heddle/identity';
import {
  type JoinStation,
  TemporaryDirectory,
  openAuthority,
  openJoinStation,
  unwrap,
} from './ca-fixture.ts';

/**
 * Somebody in the control plane's place: serves any text as the root and any certificate in TLS, answers nothing else,
 * and keeps every byte that it is sent, on the wire and decrypted.
 */
class Attacker {
  readonly server: Server;
  readonly wire: Buffer[] = [];
  readonly decrypted: Buffer[] = [];
  private readonly rootPem: string;
  private readonly context: SecureContext | null;

  constructor(rootPem: string, context: SecureContext | null) {
    this.rootPem = rootPem;
    this.context = context;
    this.server = createServer((socket) => this.accept(socket));
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => this.server.once('listening', resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Everything that was learnt, as text. */
  get learnt(): string {
    return Buffer.concat([...this.wire, ...this.decrypted]).toString('latin1');
  }

  private accept(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      this.wire.push(first);
      if (first[0] !== 0x16 || this.context === null) {
        socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${this.rootPem}`);
        return;
      }
      socket.pause();
      socket.unshift(first);
      const secure = new TLSSocket(socket, { isServer: true, secureContext: this.context });
      secure.on('error', () => undefined);
      secure.on('data', (chunk: Buffer) => this.decrypted.push(chunk));
    });
  }
}

describe('a man in the middle of joining', () => {
  let temporary: TemporaryDirectory;
  let station: JoinStation;
  let attacker: Attacker | null = null;
  let options: JoinOptions;
  let secret = '';

  beforeEach(async () => {
    temporary = new TemporaryDirectory();
    station = await openJoinStation(join(temporary.path, 'ca'));
    const token = await station.tokens.create(station.authority.bundle, {
      uses: null,
      ttlMs: null,
      namespace: null,
      serviceAccount: null,
    });
    secret = token.credential().split('.')[1]!;
    options = {
      namespace: 'default',
      serviceAccount: 'reviews',
      stateDirectory: join(temporary.path, 'state'),
      joinAddress: station.address,
      joinToken: token.text(),
      clock: systemClock,
      timeoutMs: 5000,
    };
  });

  afterEach(async () => {
    attacker?.server.close();
    attacker = null;
    await station.close();
    temporary.dispose();
  });

  /** Joins through the attacker and shows that neither the token nor any part of the request came out. */
  async function attackedBy(villain: Attacker, timeoutMs = 5000): Promise<HeddleError> {
    attacker = villain;
    const outcome = await joinMesh({ ...options, joinAddress: await villain.listen(), timeoutMs });
    assert.ok(!outcome.ok);
    assert.ok(villain.wire.length > 0, 'the attacker was asked');
    for (const word of [
      secret,
      secret.slice(0, 8),
      options.joinToken.split('.')[1]!,
      'CERTIFICATE REQUEST',
      '/v1/join',
    ]) {
      assert.ok(!villain.learnt.includes(word), `the attacker has learnt ${word}`);
    }
    assert.ok(!outcome.error.message.includes(secret));
    assert.ok(!existsSync(options.stateDirectory), 'nothing was stored');
    return outcome.error;
  }

  async function workloadContext(): Promise<SecureContext> {
    const key = generateKeyPair();
    const id = unwrap(parseSpiffeId('spiffe://cluster.local/ns/default/sa/admin'));
    const issued = unwrap(await station.authority.issueWorkload(id, createCertificateRequest(key, id)));
    return createSecureContext({ cert: issued.certificateChain, key: exportPrivateKey(key) });
  }

  async function foreignContext(): Promise<{ context: SecureContext; rootPem: string }> {
    const authority = await openAuthority(join(temporary.path, 'foreign'));
    const key = generateKeyPair();
    const issued = unwrap(
      await authority.issueControlPlane(key.publicKey, { dnsNames: [], addresses: ['127.0.0.1'] }),
    );
    const context = createSecureContext({ cert: issued.certificateChain, key: exportPrivateKey(key) });
    return { context, rootPem: authority.bundle.pem };
  }

  test('learns nothing with a root of its own', async () => {
    const { context, rootPem } = await foreignContext();
    assert.equal((await attackedBy(new Attacker(rootPem, context))).code, 'HEDDLE_JOIN_ROOT_MISMATCH');
  });

  test('learns nothing by serving the true root and a certificate of its own', async () => {
    const { context } = await foreignContext();
    const { code } = await attackedBy(new Attacker(station.authority.bundle.pem, context));
    assert.equal(code, 'HEDDLE_CONTROL_PLANE_UNTRUSTED');
  });

  test('learns nothing by mixing the true root with its own', async () => {
    const { context, rootPem } = await foreignContext();
    const { code } = await attackedBy(new Attacker(rootPem + station.authority.bundle.pem, context));
    assert.equal(code, 'HEDDLE_CONTROL_PLANE_UNTRUSTED');
  });

  test('learns nothing as a workload of the very mesh, with a certificate that TLS is content with', async () => {
    const villain = new Attacker(station.authority.bundle.pem, await workloadContext());
    const error = await attackedBy(villain);
    assert.equal(error.code, 'HEDDLE_CONTROL_PLANE_UNTRUSTED');
    assert.match(error.message, /it is spiffe:\/\/cluster\.local\/ns\/default\/sa\/admin/);
  });

  test('learns nothing by not speaking TLS where it should', async () => {
    const { code } = await attackedBy(new Attacker(station.authority.bundle.pem, null));
    assert.equal(code, 'HEDDLE_CONTROL_PLANE_UNTRUSTED');
  });

  test('learns nothing with an answer that is no certificate', async () => {
    assert.equal((await attackedBy(new Attacker('hello', null))).code, 'HEDDLE_JOIN_ROOT_MISMATCH');
  });

  test('learns nothing by never ending the handshake, and is not waited for', async () => {
    const villain = new Attacker(station.authority.bundle.pem, null);
    villain.server.removeAllListeners('connection');
    let connections = 0;
    villain.server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        villain.wire.push(chunk);
        if (connections++ === 0) {
          socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${station.authority.bundle.pem}`);
        }
      });
    });
    assert.equal((await attackedBy(villain, 200)).code, 'HEDDLE_CONTROL_PLANE_UNREACHABLE');
  });

  test('cannot make the sidecar read without end', async () => {
    const villain = new Attacker('x'.repeat(1024 * 1024), null);
    assert.equal((await attackedBy(villain)).code, 'HEDDLE_CONTROL_PLANE_UNREACHABLE');
  });

  test('is proven by a control: in its place the true control plane is told the token', async () => {
    let isTold = false;
    const check = station.tokens.check.bind(station.tokens);
    station.tokens.check = (credential, subject) => {
      isTold ||= credential.endsWith(secret);
      return check(credential, subject);
    };
    unwrap(await joinMesh(options));
    assert.ok(isTold);
  });
});
