// Over sockets and TLS, to a server that answers every call: who may be the control plane, and who we are to it.
import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import { WorkloadCertificate, parseSpiffeId } from '@heddle/identity';
import { type TestCertificate, bundleOf, makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { RpcCode, type RpcReply } from '@heddle/xds';
import type { Http2ServerOwner } from '../http2/connection-owner.ts';
import { Http2ServerConnection } from '../http2/server-connection.ts';
import { fieldsOf, testContext, testSettings } from '../http2/test-servers.ts';
import { noHandler } from '../http2/stream-handler.ts';
import { describeAddress } from '../transport/address.ts';
import { meshSecurity } from '../tls/mesh-security.ts';
import { NodeTransport } from '../transport/node/node-transport.ts';
import type { Connection } from '../transport/transport.ts';
import { connectToControlPlane } from './control-plane-link.ts';

const root = makeRoot('cluster.local');
const controlPlane = 'spiffe://cluster.local/ns/heddle-system/sa/control-plane';
const workload = 'spiffe://cluster.local/ns/default/sa/reviews';
const parsed = parseSpiffeId(workload);
assert.ok(parsed.ok);
const workloadId = parsed.value;

interface Server {
  /** `host:port`. */
  readonly address: string;
  readonly accepted: Connection[];
  readonly calls: string[];
  /** Asks the clients it has to go elsewhere. */
  leave(): void;
}

/** Refuses every call by its name. */
async function serve(context: TestContext, own: TestCertificate, alpn: string): Promise<Server> {
  const transport = new NodeTransport(systemClock, silentLogger);
  const accepted: Connection[] = [];
  const served: Http2ServerConnection[] = [];
  const calls: string[] = [];
  const owner: Http2ServerOwner = {
    onStream: (stream) => ({
      ...noHandler,
      onHeaders: (fields) => calls.push(fields.value(':path')!),
      onEnd: () => {
        const status = String(RpcCode.notFound);
        const head = fieldsOf(
          [':status', '200'],
          ['content-type', 'application/grpc'],
          ['grpc-status', status],
        );
        stream.sendHeaders(head, true);
      },
    }),
    onBusyChanged: () => undefined,
    onLingering: () => undefined,
    onFault: () => undefined,
    onGone: () => undefined,
  };
  const secrets = {
    certificate: () => ({ certificateChain: own.pem, privateKey: own.keyPem, version: '1' }),
    trustBundle: () => bundleOf('cluster.local', root),
  };
  const listener = await transport.listen(
    {
      address: { host: '127.0.0.1', port: 0 },
      security: meshSecurity({ secrets, acceptPeer: null, alpn: [alpn] }),
    },
    (connection) => {
      accepted.push(connection);
      const shared = testContext(systemClock, systemRandom);
      const http2 = new Http2ServerConnection(connection, owner, testSettings(), shared);
      served.push(http2);
      return http2;
    },
  );
  context.after(async () => {
    for (const connection of accepted) connection.destroy();
    await listener.close();
  });
  return {
    address: describeAddress(listener.address),
    accepted,
    calls,
    leave: () => {
      for (const http2 of served) http2.drain(0);
    },
  };
}

/** A workload whose certificate can be renewed, and how it asks its control plane something. */
class Workload {
  readonly id = workloadId;
  readonly xdsAddress: string;
  readonly bundle = bundleOf('cluster.local', root);
  certificate = newCertificate();
  private readonly rpc;

  constructor(context: TestContext, server: Server) {
    this.xdsAddress = server.address;
    this.rpc = connectToControlPlane({
      identity: this,
      transport: new NodeTransport(systemClock, silentLogger),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    });
    context.after(() => this.rpc.close());
  }

  async ask(path: string): Promise<RpcReply['status']> {
    const { status } = await this.rpc.call(path, new Uint8Array(0), 5000);
    return status;
  }
}

function newCertificate(): WorkloadCertificate {
  const { key, certificate } = makeLeaf(root, workload);
  return new WorkloadCertificate(key, [certificate]);
}

describe('the way to the control plane', () => {
  it('leads to the control plane, which learns who calls', async (context) => {
    const server = await serve(context, makeLeaf(root, controlPlane), 'h2');
    const status = await new Workload(context, server).ask('/m');
    assert.equal(status.code, RpcCode.notFound);
    assert.deepEqual([server.calls, server.accepted[0]!.peerIdentity], [['/m'], workload]);
  });

  it('leads to nobody else of the mesh', async (context) => {
    const stranger = 'spiffe://cluster.local/ns/default/sa/stranger';
    const server = await serve(context, makeLeaf(root, stranger), 'h2');
    assert.deepEqual(await new Workload(context, server).ask('/m'), {
      code: RpcCode.unavailable,
      message: `Cannot connect to ${server.address}: the server is not this mesh's control plane: it is ${stranger}`,
    });
    assert.deepEqual(server.calls, []);
  });

  it('leads to nobody whom another authority calls the control plane', async (context) => {
    const server = await serve(context, makeLeaf(makeRoot('cluster.local'), controlPlane), 'h2');
    const { code, message } = await new Workload(context, server).ask('/m');
    assert.equal(code, RpcCode.unavailable);
    assert.match(message, /^Cannot connect to 127\.0\.0\.1:\d+: TLS handshake failed \(\w*VERIF\w*\)$/);
    assert.deepEqual(server.calls, []);
  });

  it('takes no other protocol', async (context) => {
    const server = await serve(context, makeLeaf(root, controlPlane), 'http/1.1');
    const { code, message } = await new Workload(context, server).ask('/m');
    assert.equal(code, RpcCode.unavailable);
    assert.match(message, /ALPN|NO_APPLICATION_PROTOCOL|does not speak HTTP\/2/);
    assert.deepEqual(server.calls, []);
  });

  it('shows a renewed certificate from the next connection on, in a whole handshake each time', async (context) => {
    const server = await serve(context, makeLeaf(root, controlPlane), 'h2');
    const caller = new Workload(context, server);
    await caller.ask('/1');
    server.leave();
    await caller.ask('/2');
    caller.certificate = newCertificate();
    await caller.ask('/3');
    server.leave();
    await caller.ask('/4');
    assert.deepEqual(server.calls, ['/1', '/2', '/3', '/4']);
    const handshakes = server.accepted.map(({ tls }) => tls!);
    const [first, second, third] = handshakes.map(({ peer }) => peer!.fingerprint);
    assert.equal(second, first);
    assert.notEqual(third, second);
    assert.deepEqual(
      handshakes.map(({ isResumed }) => isResumed),
      [false, false, false],
    );
  });
});
