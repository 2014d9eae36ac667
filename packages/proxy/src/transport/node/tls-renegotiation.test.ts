// A second handshake on a connection of TLS 1.2 could show another certificate than the one that was verified.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, test } from 'node:test';
import { TLSSocket, connect as connectTls, createSecureContext } from 'node:tls';
import { makeLeaf } from '@heddle/identity/test-authority';
import { RecordingHandler, eventually } from '@heddle/testkit';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { openParameters } from '../../tls/tls-parameters.ts';
import { hostAndPort } from '../address.ts';
import { TlsBench, Workload, firstRoot, staticCertificate } from './tls-under-test.ts';

const web = makeLeaf(firstRoot, 'spiffe://cluster.local/ns/default/sa/web', { dnsNames: ['one.example'] });
const older = { ...openParameters, maxVersion: 'TLSv1.2' } as const;
const bench = new TlsBench();
after(() => bench.close());

function security(changes: Partial<LinkSecurity>): LinkSecurity {
  const base = new Workload('spiffe://cluster.local/ns/default/sa/web').security();
  return {
    ...base,
    certificates: [{ kind: 'static', certificate: staticCertificate(web) }],
    parameters: older,
    validation: null,
    server: { ...base.server, requiresClientCertificate: false },
    ...changes,
  };
}

test('a client that asks for a second handshake gets none', async (t) => {
  const server = await bench.serve(security({}));
  const socket = connectTls({
    ...hostAndPort(server.listener.address),
    ca: firstRoot.pem,
    servername: 'one.example',
    maxVersion: 'TLSv1.2',
  });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.write('ping');
  await once(socket, 'data');
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  socket.renegotiate({}, resolve);
  socket.once('close', () => resolve(new Error('closed')));
  assert.notEqual(await promise, null);
});

test('a server that asks for a second handshake gets none', async (t) => {
  const context = createSecureContext({ cert: web.pem, key: web.keyPem, maxVersion: 'TLSv1.2' });
  const { promise: outcome, resolve } = Promise.withResolvers<string>();
  const server = createServer((raw) => {
    t.after(() => raw.destroy());
    raw.on('error', () => undefined);
    const socket = new TLSSocket(raw, { isServer: true, secureContext: context });
    socket.on('error', () => resolve('refused'));
    raw.on('close', () => resolve('closed'));
    socket.once('data', () =>
      socket.renegotiate({}, (error) => resolve(error === null ? 'done' : 'refused')),
    );
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const handler = new RecordingHandler();
  const connection = bench.transport.connect(
    {
      address: { host: '127.0.0.1', port },
      security: security({
        certificates: [],
        serverName: 'one.example',
        validation: {
          kind: 'roots',
          roots: firstRoot.pem,
          rootsFile: '',
          sans: [],
          certificateHashes: [],
          publicKeyHashes: [],
        },
      }),
      timeoutMs: 5000,
    },
    handler,
  );
  await eventually('it is connected or refused', () => handler.connects + handler.closes > 0);
  assert.equal(handler.connects, 1);
  t.after(() => connection.destroy());
  connection.writeLatin1('ping');
  await eventually('the connection ends', () => handler.closes + handler.ends > 0);
  assert.notEqual(await outcome, 'done');
});
