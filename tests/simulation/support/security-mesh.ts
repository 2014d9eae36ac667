// A small mesh for policies of security: who calls, how, and what comes of it.
import assert from 'node:assert/strict';
import type { Connection } from '@heddle/proxy';
import type { HttpReply } from './http-client.ts';
import { SimulatedMesh } from './simulated-mesh.ts';
import { ports } from './topology.ts';

/** An instance of `a.default`. */
export const server = 'a-v1-1';
/** Of the same namespace. */
export const friend = 'b-v1-1';
/** Of another one. */
export const stranger = 'f-v1-1';

/** Starts the three, whose applications send nothing of their own. */
export async function startMesh(): Promise<SimulatedMesh> {
  const mesh = new SimulatedMesh(1, ({ id }) => [server, friend, stranger].includes(id));
  await mesh.controlPlane.start();
  for (const workload of mesh.workloads) {
    mesh.start(workload);
    mesh.silence(workload);
  }
  await mesh.until('all is known', () => mesh.isComplete, 10_000);
  return mesh;
}

/** Sends a request through the caller's sidecar; its status, and what a denial says. */
export async function call(
  mesh: SimulatedMesh,
  caller: string,
  method: 'GET' | 'POST' = 'GET',
  path = '/',
): Promise<string> {
  const replies: HttpReply[] = [];
  const request = {
    port: ports.outboundProxy,
    method,
    target: `http://a.default:9080${path}`,
    headers: { host: 'a.default:9080' },
    body: Buffer.alloc(0),
    isChunked: false,
  } as const;
  mesh.workload(caller).client!.send(request, (reply) => replies.push(reply));
  await mesh.until('there is an answer', () => replies.length > 0, 5000);
  const { status, body, failure } = replies[0]!;
  return status === 403 ? `403 ${body.toString()}` : `${status}${failure}`;
}

/** Changes a policy and waits until it is in force. */
export async function change(
  mesh: SimulatedMesh,
  how: 'apply' | 'delete',
  name: string,
  spec: string,
  kind = 'AuthorizationPolicy',
): Promise<void> {
  const [namespace, own] = name.split('/');
  const text = `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${own}, namespace: ${namespace}}\nspec: ${spec}\n`;
  const request = { files: [{ name: 'policy.yaml', text }], namespace: 'default' };
  const done = await mesh.controlPlane.core.configuration[how](request, 'simulation');
  assert.ok(done.ok, JSON.stringify(done));
  await mesh.clock.advanceAsync(100);
  await mesh.until('it is in force', () => mesh.isSynced, 5000);
}

/** Sends a request past all sidecars, in the clear; the first line of the answer, empty where there is none. */
export async function callPlainly(mesh: SimulatedMesh, more = ''): Promise<string> {
  const { node } = mesh.workload(stranger).process;
  const { address: host } = mesh.workload(server).plan;
  let text = '';
  let isOver = false;
  const connection: Connection = node.connect(
    { address: { host, port: ports.inbound }, security: null, timeoutMs: 1000 },
    {
      onConnect: () => void connection.writeLatin1(`GET / HTTP/1.1\r\nhost: a\r\n${more}\r\n`),
      onData: (buffer, start, end) => {
        text += buffer.toString('latin1', start, end);
      },
      onEnd: () => connection.end(),
      onDrain: () => undefined,
      onClose: () => {
        isOver = true;
      },
    },
  );
  await mesh.until('there is an answer or none', () => isOver || text.includes('\r\n\r\n'), 20_000);
  connection.destroy();
  return text.startsWith('HTTP/') ? text.slice(0, text.indexOf('\r\n')) : '';
}
