// A program for a test's network namespace: `listen` says who was reached, `probe` asks who answers.
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { originalDestinationProvider } from '@heddle/proxy/original-destination';
import type { ListenOrder, ProbeOrder } from './order.ts';

/** Greets each connection with the label, where it was meant to go and where it came from. */
async function listen({ label, tcp, udp, http = [], redirected }: ListenOrder): Promise<void> {
  const provider = originalDestinationProvider(!redirected);
  for (const { host, port } of tcp) {
    const server = createServer((socket) => {
      const { _handle } = socket as unknown as { readonly _handle: { readonly fd: number } };
      const { localAddress = '', localPort = 0, remoteAddress } = socket;
      const meant = provider.lookup({ fileDescriptor: _handle.fd, localAddress, localPort });
      const destination = meant === null ? 'unknown' : `${meant.host} ${meant.port}`;
      socket.on('error', () => undefined);
      socket.end(`${label} ${destination} from ${remoteAddress?.replace('::ffff:', '')}\n`);
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen({ port, host, ipv6Only: host.includes(':') }, resolve);
    await promise;
  }
  for (const { host, port } of udp) {
    const isV6 = host.includes(':');
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
    socket.on('message', (_message, peer) => socket.send(`${label}\n`, peer.port, peer.address));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('error', reject).bind(port, host, resolve);
    await promise;
  }
  for (const { host, port } of http) {
    const server = createHttpServer((request, response) => {
      const by = request.headers['x-request-id'] === undefined ? 'directly' : 'by a proxy';
      const from = request.socket.remoteAddress?.replace('::ffff:', '');
      response.end(`${label} ${request.headers.host} ${by} from ${from}\n`);
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen({ port, host, ipv6Only: host.includes(':') }, resolve);
    await promise;
  }
  process.stdout.write('listening\n');
}

/** The line that a connection is greeted with, or the system's code of its failure. */
function greeting(host: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect({ host, port, timeout: 3000 });
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('timeout', () => socket.destroy(new Error('timeout')));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.on('close', () => resolve(text.trim()));
  return promise;
}

function answer(host: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const timer = setTimeout(() => resolve('timeout'), 3000);
  socket.on('message', (message) => resolve(message.toString().trim()));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.connect(port, host, () => socket.send('who'));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

async function probe({ uid, gid, targets }: ProbeOrder): Promise<void> {
  if (gid !== undefined) process.setgid!(gid);
  if (uid !== undefined) process.setuid!(uid);
  const answers: string[] = [];
  for (const { host, port, udp } of targets)
    answers.push(await (udp === true ? answer(host, port) : greeting(host, port)));
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}

const [role, order] = process.argv.slice(2) as [string, string];
if (role === 'listen') await listen(JSON.parse(order) as ListenOrder);
else await probe(JSON.parse(order) as ProbeOrder);
