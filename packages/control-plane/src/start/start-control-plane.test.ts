import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { after, describe, it } from 'node:test';
import { systemClock, systemRandom } from '@heddle/base';
import { joinMesh, type WorkloadIdentity } from '@heddle/identity';
import { controlPlaneClient } from '@heddle/testkit/control-plane-client';
import { TypeUrl, type RpcClient, type RpcStatus } from '@heddle/xds';
import { IstioCertificateRequest, IstioCertificateResponse } from '@heddle/xds/api/istio/v1/auth/ca.ts';
import { LeaseRequest, LeaseResponse } from '@heddle/xds/api/heddle/mesh/v1/instance.ts';
import { DeltaClient } from '@heddle/xds/client';
import type { EndpointsResponse, ProxiesResponse, StatusResponse } from '../api/types.ts';
import { startControlPlane, type RunningControlPlane } from './start-control-plane.ts';

const root = mkdtempSync(join(tmpdir(), 'heddle-start-'));
let count = 0;
after(() => rmSync(root, { recursive: true }));

const anyPorts = { apiPort: 0, xdsPort: 0, joinPort: 0 };

function newStore(): string {
  return join(root, `store-${++count}`);
}

/** Asks the API as the command line does. */
async function get<T>(plane: RunningControlPlane, store: string, path: string): Promise<T> {
  const token = readFileSync(join(store, 'admin-token'), 'utf8').trim();
  const response = await fetch(`http://${plane.addresses.api}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 200);
  return (await response.json()) as T;
}

async function joinAs(
  plane: RunningControlPlane,
  store: string,
  serviceAccount: string,
  more: { readonly service?: string; readonly joinToken?: string } = {},
): Promise<WorkloadIdentity> {
  const identity = await joinMesh({
    stateDirectory: join(store, 'sidecars', serviceAccount),
    clock: systemClock,
    joinAddress: plane.addresses.join,
    joinToken: readFileSync(join(store, 'local-token'), 'utf8').trim(),
    namespace: 'default',
    serviceAccount,
    ...more,
  });
  assert.ok(identity.ok, identity.ok ? '' : identity.error.message);
  return identity.value;
}

function tlsOptions(plane: RunningControlPlane, identity: WorkloadIdentity): ConnectionOptions {
  const [host, port] = plane.addresses.xds.split(':');
  return {
    host: host ?? '',
    port: Number(port),
    ca: identity.bundle.pem,
    cert: identity.certificate.certificateChain,
    key: identity.certificate.privateKey,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  };
}

/** A lease stream whose answers can be waited for. */
function lease(rpc: RpcClient) {
  const answers: string[] = [];
  let wake = (): void => {};
  const note = (answer: string): void => {
    answers.push(answer);
    wake();
  };
  const stream = rpc.openStream('/heddle.mesh.v1.InstanceService/Lease', {
    onMessage: (message) => note(LeaseResponse.decode(message).response?.$case ?? 'nothing'),
    onHalfClose: () => {},
    onWritable: () => {},
    onEnd: (status: RpcStatus) => note(`end ${status.code}`),
  });
  return {
    send: (request: NonNullable<LeaseRequest['request']>) =>
      stream.send(LeaseRequest.encode(LeaseRequest.fromPartial({ request })).finish()),
    next: async () => {
      while (answers.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return answers.shift();
    },
  };
}

/** Connects like a sidecar would and resolves once it has everything. */
function sidecar(rpc: RpcClient, service: string): Promise<{ client: DeltaClient; names: string[] }> {
  const names: string[] = [];
  return new Promise((resolve) => {
    const client = new DeltaClient({
      rpc,
      clock: systemClock,
      random: systemRandom,
      node: {
        id: `sidecar~${service}-1~${service}.default~default.svc.cluster.local`,
        cluster: `${service}.default`,
        metadata: {
          NAMESPACE: 'default',
          SERVICE: service,
          SERVICE_ACCOUNT: service,
          INSTANCE: `${service}-1`,
          LABELS: { version: 'v1' },
          SERVICE_PORT: 9080,
          APP_PORT: 1,
          INBOUND: { address: '127.0.0.1', port: 2 },
        },
      },
      sink: {
        apply: (_typeUrl, { name }) => {
          names.push(name);
          return null;
        },
        remove: () => {},
        commit: () => {},
      },
      hooks: { onSynced: () => resolve({ client, names }) },
    });
    client.start();
    client.subscribe(TypeUrl.secret, ['ROOTCA']);
  });
}

const publish = {
  $case: 'publish' as const,
  value: {
    instance: 'reviews-1',
    namespace: 'default',
    service: 'reviews',
    servicePort: 9080,
    protocol: 'http',
    address: '127.0.0.1',
    port: 20_001,
    labels: { version: 'v1' },
    tunnel: 'h2',
  },
};

describe('a started control plane', () => {
  it('lays out its store for the owner alone', async () => {
    const store = newStore();
    const plane = await startControlPlane({ storeDirectory: store, ...anyPorts });
    assert.equal(statSync(store).mode & 0o777, 0o700);
    for (const name of ['admin-token', 'local-token', join('ca', 'root.key')])
      assert.equal(statSync(join(store, name)).mode & 0o777, 0o600, name);
    const file = JSON.parse(readFileSync(join(store, 'control-plane.json'), 'utf8')) as object;
    assert.deepEqual(file, {
      pid: process.pid,
      apiAddress: plane.addresses.api,
      xdsAddress: plane.addresses.xds,
      joinAddress: plane.addresses.join,
    });
    await plane.close();
    assert.ok(!existsSync(join(store, 'control-plane.json')));
  });

  it('lets a workload join, connect, publish, renew its certificate and withdraw', async () => {
    const store = newStore();
    const plane = await startControlPlane({ storeDirectory: store, ...anyPorts });
    const identity = await joinAs(plane, store, 'reviews');
    assert.equal(identity.xdsAddress, plane.addresses.xds);
    const rpc = controlPlaneClient(identity);
    const { client, names } = await sidecar(rpc, 'reviews');
    assert.deepEqual([...names].sort(), ['PassthroughCluster', 'ROOTCA', 'inbound', 'inbound|9080||']);

    const held = lease(rpc);
    held.send(publish);
    assert.equal(await held.next(), 'published');
    const { endpoints } = await get<EndpointsResponse>(plane, store, '/api/v1/endpoints');
    assert.equal(endpoints[0]?.identity, 'spiffe://cluster.local/ns/default/sa/reviews');
    assert.equal(endpoints[0].state, 'ready');
    const { proxies } = await get<ProxiesResponse>(plane, store, '/api/v1/proxies');
    assert.equal(proxies[0]?.instance, 'reviews-1');
    assert.equal(proxies[0].certificateNotAfter, identity.certificate.notAfterMs);

    const before = identity.certificate.certificateChain;
    const renewed = await identity.renew(async (csr) => {
      const request = IstioCertificateRequest.encode(IstioCertificateRequest.fromPartial({ csr })).finish();
      const { status, message } = await rpc.call(
        '/istio.v1.auth.IstioCertificateService/CreateCertificate',
        request,
        5000,
      );
      assert.deepEqual(status, { code: 0, message: '' });
      return { ok: true, value: IstioCertificateResponse.decode(message).certChain.join('') };
    });
    assert.ok(renewed.ok, renewed.ok ? '' : renewed.error.message);
    assert.notEqual(identity.certificate.certificateChain, before);

    held.send({ $case: 'withdraw', value: {} });
    assert.equal(await held.next(), 'withdrawn');
    const status = await get<StatusResponse>(plane, store, '/api/v1/status');
    assert.deepEqual([status.instances, status.proxies], [0, 1]);
    client.close();
    rpc.close();
    await plane.close();
  });

  it('lets a token for one service account make instances of the service of that name only', async () => {
    const store = newStore();
    const plane = await startControlPlane({ storeDirectory: store, ...anyPorts });
    const { token } = await plane.createJoinToken({ kind: 'join', uses: 2, serviceAccount: 'alpha' });
    const thief = await joinAs(plane, store, 'alpha', { service: 'reviews', joinToken: token });
    const rpc = controlPlaneClient(thief);
    const refused = lease(rpc);
    refused.send(publish);
    assert.equal(await refused.next(), 'end 7');
    const held = lease(rpc);
    held.send({ ...publish, value: { ...publish.value, instance: 'alpha-1', service: 'alpha' } });
    assert.equal(await held.next(), 'published');
    const { endpoints } = await get<EndpointsResponse>(plane, store, '/api/v1/endpoints');
    assert.deepEqual(
      endpoints.map(({ service }) => service),
      ['alpha'],
    );
    rpc.close();
    await plane.close();
  });

  it('lets the local token give a service another account, for good', async () => {
    const store = newStore();
    const first = await startControlPlane({ storeDirectory: store, ...anyPorts });
    const identity = await joinAs(first, store, 'stars', { service: 'reviews' });
    await first.close();
    const second = await startControlPlane({ storeDirectory: store, ...anyPorts });
    const { id, certificate, bundle } = identity;
    const rpc = controlPlaneClient({ id, certificate, bundle, xdsAddress: second.addresses.xds });
    const held = lease(rpc);
    held.send(publish);
    assert.equal(await held.next(), 'published');
    const elsewhere = lease(rpc);
    elsewhere.send({ ...publish, value: { ...publish.value, instance: 'x-1', service: 'ratings' } });
    assert.equal(await elsewhere.next(), 'end 7');
    rpc.close();
    await second.close();
  });

  it('takes no certificate request for another identity', async () => {
    const store = newStore();
    const plane = await startControlPlane({ storeDirectory: store, ...anyPorts });
    const thief = await joinAs(plane, store, 'thief');
    const victim = await joinAs(plane, store, 'victim');
    const rpc = controlPlaneClient(thief);
    const outcome = await victim.renew(async (csr) => {
      const request = IstioCertificateRequest.encode(IstioCertificateRequest.fromPartial({ csr })).finish();
      const { status } = await rpc.call(
        '/istio.v1.auth.IstioCertificateService/CreateCertificate',
        request,
        5000,
      );
      assert.equal(status.code, 7);
      return { ok: true, value: '' };
    });
    assert.ok(!outcome.ok);
    rpc.close();
    await plane.close();
  });

  it('hears nothing from clients without a certificate, or with one of another mesh', async () => {
    const store = newStore();
    const plane = await startControlPlane({ storeDirectory: store, ...anyPorts });
    const foreignStore = newStore();
    const foreignPlane = await startControlPlane({ storeDirectory: foreignStore, ...anyPorts });
    const own = await joinAs(plane, store, 'reviews');
    const foreign = await joinAs(foreignPlane, foreignStore, 'reviews');
    const base = tlsOptions(plane, own);
    const { cert: _cert, key: _key, ...anonymous } = base;
    const stranger: ConnectionOptions = {
      ...base,
      cert: foreign.certificate.certificateChain,
      key: foreign.certificate.privateKey,
    };
    const old: ConnectionOptions = { ...base, maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' };
    for (const options of [anonymous, stranger, old]) {
      const socket = connect(options);
      socket.on('error', () => {});
      // A finished handshake proves nothing in TLS 1.3: the answer to a request does.
      socket.once('secureConnect', () =>
        socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'),
      );
      let received = 0;
      socket.on('data', (data) => {
        received += data.length;
      });
      await new Promise((resolve) => socket.once('close', resolve));
      assert.equal(received, 0);
    }
    await plane.close();
    await foreignPlane.close();
  });

  it('goes on in the same store after it ended: same root, tokens, instances; the dashboard token is shown once', async () => {
    const store = newStore();
    const first = await startControlPlane({ storeDirectory: store, ...anyPorts });
    assert.match(first.dashboardToken ?? '', /^hdd_/);
    const identity = await joinAs(first, store, 'reviews');
    const rpc = controlPlaneClient(identity);
    const held = lease(rpc);
    held.send(publish);
    assert.equal(await held.next(), 'published');
    const files = ['admin-token', 'local-token', join('ca', 'root.pem')];
    const before = files.map((name) => readFileSync(join(store, name), 'utf8'));
    await first.close();
    assert.match((await held.next()) ?? '', /^end/);
    rpc.close();
    const second = await startControlPlane({ storeDirectory: store, ...anyPorts });
    assert.equal(second.dashboardToken, null);
    assert.deepEqual(
      files.map((name) => readFileSync(join(store, name), 'utf8')),
      before,
    );
    const { endpoints } = await get<EndpointsResponse>(second, store, '/api/v1/endpoints');
    assert.equal(endpoints[0]?.state, 'restored');
    await second.close();
  });

  it('names the process that uses its store already', async () => {
    const store = newStore();
    const first = await startControlPlane({ storeDirectory: store, ...anyPorts });
    await assert.rejects(startControlPlane({ storeDirectory: store, ...anyPorts }), {
      code: 'HEDDLE_STORE_LOCKED',
      message: new RegExp(`process ${process.pid}.*${store}`),
    });
    await first.close();
  });

  it('gives everything back when a port is taken, and names it', async () => {
    const first = await startControlPlane({ storeDirectory: newStore(), ...anyPorts });
    const store = newStore();
    for (const [option, address] of [
      ['apiPort', first.addresses.api],
      ['xdsPort', first.addresses.xds],
      ['joinPort', first.addresses.join],
    ] as const) {
      const port = Number(address.split(':')[1]);
      await assert.rejects(startControlPlane({ storeDirectory: store, ...anyPorts, [option]: port }), {
        code: 'HEDDLE_PORT_IN_USE',
        message: new RegExp(`127\\.0\\.0\\.1:${port}`),
      });
    }
    const second = await startControlPlane({ storeDirectory: store, ...anyPorts });
    await second.close();
    await first.close();
  });

  it('does not start on a damaged store', async () => {
    const store = newStore();
    await (await startControlPlane({ storeDirectory: store, ...anyPorts })).close();
    writeFileSync(join(store, 'heddle.db'), 'damaged');
    await assert.rejects(startControlPlane({ storeDirectory: store, ...anyPorts }), {
      code: 'HEDDLE_STORE_CORRUPT',
    });
    assert.equal(readFileSync(join(store, 'heddle.db'), 'utf8'), 'damaged');
  });

  it('makes a join token for the command line to print', async () => {
    const plane = await startControlPlane({ storeDirectory: newStore(), ...anyPorts });
    const { token, joinCommand } = await plane.createJoinToken({ kind: 'join' });
    assert.match(token, /^hdl1\.[^.]+\.[^.]+\.[\w-]{43}$/);
    assert.ok(joinCommand?.includes(`--join ${plane.addresses.join} `));
    assert.ok(!joinCommand?.includes(token));
    await plane.close();
  });
});
