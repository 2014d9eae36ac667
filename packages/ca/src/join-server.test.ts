import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Socket, connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { createLogger, silentLogger, systemClock } from '@heddle/base';
import {
  type JoinOptions,
  createCertificateRequest,
  generateKeyPair,
  joinMesh,
  loadWorkloadIdentity,
} from '@heddle/identity';
import { VirtualClock } from '@heddle/testkit';
import { type JoinStation, TemporaryDirectory, openJoinStation, reviews, unwrap } from './ca-fixture.ts';
import { JoinServer } from './join-server.ts';
import type { JoinTokenOptions } from './join-tokens.ts';

const run = promisify(execFile);
const hourMs = 3_600_000;
const anything: JoinTokenOptions = { uses: null, ttlMs: null, namespace: null, serviceAccount: null };
const subject = { namespace: 'default', serviceAccount: 'reviews' };

/** Everything that comes until the other end closes. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await new Promise((resolve) => {
    socket.once('close', resolve);
    socket.on('error', () => undefined);
  });
  return text;
}

describe('the join listener', () => {
  let temporary: TemporaryDirectory;
  let station: JoinStation;
  const others: JoinStation[] = [];

  beforeEach(async () => {
    temporary = new TemporaryDirectory();
    station = await openJoinStation(join(temporary.path, 'ca'));
  });

  afterEach(async () => {
    await station.close();
    for (const other of others.splice(0)) await other.close();
    temporary.dispose();
  });

  /** A second one, closed after the test whatever happens. */
  async function openOther(...parameters: Parameters<typeof openJoinStation>): Promise<JoinStation> {
    const other = await openJoinStation(...parameters);
    others.push(other);
    return other;
  }

  async function options(token: Partial<JoinTokenOptions> = {}): Promise<JoinOptions> {
    const joinToken = await station.tokens.create(station.authority.bundle, { ...anything, ...token });
    return {
      ...subject,
      stateDirectory: join(temporary.path, 'state'),
      joinAddress: station.address,
      joinToken: joinToken.text(),
      clock: systemClock,
    };
  }

  async function joinError(joinOptions: JoinOptions): Promise<{ code: string; message: string }> {
    const identity = await joinMesh(joinOptions);
    assert.ok(!identity.ok);
    assert.ok(!identity.error.message.includes(joinOptions.joinToken.split('.')[2] ?? 'none'));
    return identity.error;
  }

  async function plain(request: string): Promise<string> {
    const socket = connectPlain(station.server.address.port, '127.0.0.1');
    socket.write(request);
    return readAll(socket);
  }

  function secureSocket(extra: ConnectionOptions = {}): TLSSocket {
    return connectTls({
      port: station.server.address.port,
      host: '127.0.0.1',
      ca: station.authority.bundle.pem,
      ...extra,
    });
  }

  async function secure(request: string): Promise<string> {
    const socket = secureSocket();
    socket.write(request);
    return readAll(socket);
  }

  function post(body: string): string {
    return `POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  function errorIn(answer: string): { code: string; message: string } {
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
      error: { code: string; message: string };
    };
    return body.error;
  }

  describe('for a sidecar', () => {
    test('trades a token for an identity that is stored and loaded again', async () => {
      const joinOptions = await options({ uses: 1 });
      const identity = unwrap(await joinMesh(joinOptions));
      assert.equal(identity.id, reviews);
      assert.equal(identity.xdsAddress, '127.0.0.1:15012');
      assert.equal(identity.bundle.version, station.authority.bundle.version);
      const loaded = unwrap(await loadWorkloadIdentity(joinOptions));
      assert.equal(loaded?.certificate.version, identity.certificate.version);
    });

    test('never shows it the key', async () => {
      const lines: string[] = [];
      const other = await openOther(join(temporary.path, 'ca'), {
        logger: createLogger({ sink: (line) => lines.push(line) }),
      });
      const token = await other.tokens.create(other.authority.bundle, anything);
      const identity = unwrap(
        await joinMesh({ ...(await options()), joinAddress: other.address, joinToken: token.text() }),
      );
      const logged = lines.join('');
      assert.match(logged, /Workload joined/);
      assert.ok(!logged.includes(token.text().split('.')[2]!));
      const stored = readFileSync(join(temporary.path, 'state', 'identity.pem'), 'utf8');
      assert.ok(stored.startsWith(identity.certificate.privateKey));
    });

    test('serves several at once', async () => {
      const joinOptions = await options();
      const identities = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          joinMesh({
            ...joinOptions,
            serviceAccount: `s${index}`,
            stateDirectory: join(temporary.path, `${index}`),
          }),
        ),
      );
      assert.deepEqual(
        identities.map((identity) => unwrap(identity).id.split('/').at(-1)),
        ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'],
      );
    });

    test('reissues at the request of a workload with the certificate it has', async () => {
      const identity = unwrap(await joinMesh(await options()));
      const before = identity.certificate.version;
      const outcome = await identity.renew(async (requestPem) => {
        const issued = await station.authority.issueWorkload(identity.id, requestPem);
        return issued.ok ? { ok: true, value: issued.value.certificateChain } : issued;
      });
      assert.ok(outcome.ok);
      assert.notEqual(identity.certificate.version, before);
    });

    test('has the service bound that it names, under a token for any service account', async () => {
      unwrap(await joinMesh({ ...(await options({ namespace: 'default' })), service: 'ratings' }));
      assert.deepEqual(station.bindings, [{ ...subject, service: 'ratings' }]);
    });

    test('has nothing bound by a token for one service account', async () => {
      unwrap(await joinMesh({ ...(await options({ serviceAccount: 'reviews' })), service: 'ratings' }));
      assert.deepEqual(station.bindings, []);
    });

    test('needs no binding for the service of its own name, or where it names none', async () => {
      const joinOptions = await options();
      unwrap(await joinMesh({ ...joinOptions, service: 'reviews' }));
      unwrap(await joinMesh(joinOptions));
      assert.deepEqual(station.bindings, []);
    });

    test('has nothing bound when it is refused', async () => {
      const error = await joinError({ ...(await options({ ttlMs: 0 })), service: 'ratings' });
      assert.equal(error.code, 'HEDDLE_JOIN_TOKEN_EXPIRED');
      assert.deepEqual(station.bindings, []);
    });

    test('says that a token is used up', async () => {
      const joinOptions = await options({ uses: 1 });
      unwrap(await joinMesh(joinOptions));
      assert.equal((await joinError(joinOptions)).code, 'HEDDLE_JOIN_TOKEN_USED');
    });

    test('says that a token has expired', async () => {
      assert.equal((await joinError(await options({ ttlMs: 0 }))).code, 'HEDDLE_JOIN_TOKEN_EXPIRED');
    });

    test('says that a token is for others', async () => {
      const error = await joinError(await options({ namespace: 'other' }));
      assert.equal(error.code, 'HEDDLE_JOIN_TOKEN_NOT_ALLOWED');
      assert.match(error.message, /default\/reviews/);
    });

    test('gives one answer for unknown tokens and wrong secrets', async () => {
      const joinOptions = await options();
      const [version, id, , hash] = joinOptions.joinToken.split('.');
      const wrong = await joinError({
        ...joinOptions,
        joinToken: `${version}.${id}.${'A'.repeat(43)}.${hash}`,
      });
      const secret = joinOptions.joinToken.split('.')[2];
      const unknown = await joinError({
        ...joinOptions,
        joinToken: `${version}.unknown-id.${secret}.${hash}`,
      });
      assert.equal(wrong.code, 'HEDDLE_JOIN_TOKEN_INVALID');
      assert.deepEqual([wrong.code, wrong.message], [unknown.code, unknown.message]);
    });

    test("gives nobody the control plane's identity, and takes no use for the attempt", async () => {
      const joinOptions = await options({ uses: 1 });
      const error = await joinError({
        ...joinOptions,
        namespace: 'heddle-system',
        serviceAccount: 'control-plane',
      });
      assert.equal(error.code, 'HEDDLE_IDENTITY_NOT_ALLOWED');
      unwrap(await joinMesh(joinOptions));
    });

    test('says that the address is nothing, nobody listens, or somebody else does', async () => {
      const joinOptions = await options();
      assert.equal(
        (await joinError({ ...joinOptions, joinAddress: 'here' })).code,
        'HEDDLE_JOIN_ADDRESS_INVALID',
      );
      await station.close();
      const error = await joinError(joinOptions);
      assert.equal(error.code, 'HEDDLE_CONTROL_PLANE_UNREACHABLE');
      assert.match(error.message, /nothing listens there/);
    });

    test('is told where the identity cannot be stored', async () => {
      const blocked = join(temporary.path, 'file');
      writeFileSync(blocked, '');
      const error = await joinError({ ...(await options()), stateDirectory: join(blocked, 'state') });
      assert.equal(error.code, 'HEDDLE_IDENTITY_NOT_STORED');
    });
  });

  describe('on the wire', () => {
    test('serves the root in the open', async () => {
      const answer = await plain('GET /ca/root.pem HTTP/1.1\r\nhost: x\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.ok(answer.endsWith(station.authority.bundle.pem));
    });

    test('serves it also when the first byte comes alone', async () => {
      const socket = connectPlain(station.server.address.port, '127.0.0.1');
      socket.setNoDelay(true);
      socket.write('G', () => socket.write('ET /ca/root.pem HTTP/1.1\r\nhost: x\r\n\r\n'));
      assert.match(await readAll(socket), /BEGIN CERTIFICATE/);
    });

    test('lets nobody join in the open', async () => {
      const token = await station.tokens.create(station.authority.bundle, { ...anything, uses: 1 });
      const csr = createCertificateRequest(generateKeyPair(), reviews);
      const answer = await plain(post(JSON.stringify({ token: token.credential(), csr, ...subject })));
      assert.match(answer, /^HTTP\/1\.1 404 /);
      assert.ok((await station.tokens.check(token.credential(), subject)).ok);
    });

    test('serves nothing else, neither in the open nor through TLS', async () => {
      assert.match(await plain('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 404 /);
      assert.match(await plain('GET /ca/root.key HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 404 /);
      assert.match(await secure('GET /ca/root.pem HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 404 /);
      assert.match(await secure('GET /v1/join HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 404 /);
    });

    test('answers malformed requests with what is wrong with them', async () => {
      const bodies = [
        '',
        'hello',
        'null',
        '[]',
        '{}',
        '{"token":1,"csr":"","namespace":"","serviceAccount":""}',
      ];
      for (const body of bodies) {
        const answer = await secure(post(body));
        assert.match(answer, /^HTTP\/1\.1 400 /, body);
        assert.deepEqual(errorIn(answer), {
          code: 'HEDDLE_JOIN_REQUEST_INVALID',
          message: 'The field token is missing.',
        });
      }
      const token = (await station.tokens.create(station.authority.bundle, anything)).credential();
      const badName = await secure(
        post(JSON.stringify({ token, csr: '', namespace: '../x', serviceAccount: 'y' })),
      );
      assert.match(errorIn(badName).message, /The identity is not valid/);
      for (const service of [1, '', 'a|b', 'a'.repeat(64)]) {
        const badService = await secure(post(JSON.stringify({ token, csr: '', ...subject, service })));
        assert.equal(errorIn(badService).message, 'The field service is not the name of a service.');
      }
      const badRequest = await secure(post(JSON.stringify({ token, csr: 'hello', ...subject })));
      assert.equal(errorIn(badRequest).code, 'HEDDLE_CERTIFICATE_REQUEST_INVALID');
    });

    test('takes no use of a token for a request that is refused', async () => {
      const token = (
        await station.tokens.create(station.authority.bundle, { ...anything, uses: 1 })
      ).credential();
      await secure(post(JSON.stringify({ token, csr: 'hello', ...subject })));
      assert.ok((await station.tokens.check(token, subject)).ok);
    });

    test('refuses long bodies', async () => {
      const answer = await secure(post('x'.repeat(65 * 1024)));
      assert.match(answer, /^HTTP\/1\.1 413 /);
    });

    test('keeps its own troubles to itself', async () => {
      station.tokens.check = () => Promise.reject(new Error('disk full at /secret/place'));
      const token = `${'a'.repeat(12)}.${'b'.repeat(43)}`;
      const answer = await secure(post(JSON.stringify({ token, csr: 'x', ...subject })));
      assert.match(answer, /^HTTP\/1\.1 500 /);
      assert.doesNotMatch(answer, /disk full/);
    });

    test('speaks TLS 1.3 only, and shows OpenSSL a certificate that it verifies', async () => {
      const args = [
        's_client',
        '-connect',
        station.address,
        '-CAfile',
        join(temporary.path, 'ca', 'root.pem'),
        '-verify_return_error',
      ];
      const good = run('openssl', [...args, '-verify_ip', '127.0.0.1', '-verify_hostname', 'localhost']);
      good.child.stdin?.end('Q\n');
      const { stdout } = await good;
      assert.match(stdout, /TLSv1\.3/);
      assert.match(stdout, /Verify return code: 0 \(ok\)/);
      const old = run('openssl', [...args, '-tls1_2']);
      old.child.stdin?.end('Q\n');
      await assert.rejects(old);
    });

    test('swaps its certificate for new connections and keeps those that are open', async () => {
      // Half of a life of 24 hours, and the jitter, lie between: both certificates are good by the real clock.
      const clock = new VirtualClock({ epochMs: Date.now() - 14 * hourMs });
      const other = await openOther(join(temporary.path, 'later'), { clock, serverClock: systemClock });
      const target = { port: other.server.address.port, host: '127.0.0.1', ca: other.authority.bundle.pem };
      const open = connectTls(target);
      await new Promise((resolve) => open.once('secureConnect', resolve));
      const before = open.getPeerX509Certificate()!.fingerprint256;
      const changed = new Promise<void>((resolve) => other.identity.onChange(resolve));
      const reading = readAll(open);
      await clock.advanceAsync(13.5 * hourMs);
      await changed;
      const fresh = connectTls(target);
      await new Promise((resolve) => fresh.once('secureConnect', resolve));
      assert.notEqual(fresh.getPeerX509Certificate()!.fingerprint256, before);
      fresh.destroy();
      open.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      assert.match(await reading, /^HTTP\/1\.1 404 /);
    });

    test('drops those who say nothing, and those who stop half-way', async () => {
      const clock = new VirtualClock({ epochMs: Date.now() });
      const other = await openOther(join(temporary.path, 'ca'), { clock });
      const sockets = ['', 'GET /ca', '\u0016\u0003\u0001'].map((start) => {
        const socket = connectPlain(other.server.address.port, '127.0.0.1');
        socket.write(start);
        return socket;
      });
      const closed = sockets.map((socket) => readAll(socket));
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      // Each has a timer for its stage and one for its whole life; the certificate has one for its renewal.
      while (clock.pendingTimers < 2 * sockets.length + 1) await new Promise(setImmediate);
      await clock.advanceAsync(20_000);
      assert.deepEqual(await Promise.all(closed), ['', '', '']);
    });

    test('closes with connections open, and leaves nothing behind', async () => {
      const idle = connectPlain(station.server.address.port, '127.0.0.1');
      const half = secureSocket();
      await Promise.all([
        new Promise((resolve) => idle.once('connect', resolve)),
        new Promise((resolve) => half.once('secureConnect', resolve)),
      ]);
      const closed = [readAll(idle), readAll(half)];
      await station.server.close();
      await station.server.close();
      assert.deepEqual(await Promise.all(closed), ['', '']);
      await assert.rejects(
        new Promise((_resolve, reject) => {
          connectPlain(Number(station.address.split(':')[1]), '127.0.0.1').once('error', reject);
        }),
        /ECONNREFUSED/,
      );
    });

    test('says in one sentence that its port is in use', async () => {
      const { authority, identity } = station;
      const second = await JoinServer.open({
        host: '127.0.0.1',
        port: station.server.address.port,
        authority,
        identity,
        enrolment: null as never,
        clock: systemClock,
        logger: silentLogger,
      });
      assert.ok(!second.ok);
      assert.equal(second.error.code, 'HEDDLE_PORT_IN_USE');
      assert.match(second.error.message, new RegExp(station.address));
    });
  });
});
