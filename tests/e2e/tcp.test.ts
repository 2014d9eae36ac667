// Applications that speak no HTTP, or stop to, called through two sidecars.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@heddle/testkit';
import { Mesh, type Workload } from './support/mesh.ts';
import { startRelay } from './support/relay.ts';
import { send } from './support/requests.ts';
import { stablePort, testApp } from './support/sandbox.ts';
import { readServerHello } from './support/server-hello.ts';

const marker = 'marker-of-the-bytes-5b1e';
const echo = [process.execPath, testApp('echo.ts')];

/** A connection of a client's, and all that came over it. */
class Conversation {
  readonly socket: Socket;
  text = '';
  hasEnded = false;
  error: Error | null = null;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => (this.text += text));
    this.socket.on('end', () => (this.hasEnded = true));
    this.socket.on('error', (error) => (this.error = error));
  }

  async hears(pattern: RegExp): Promise<void> {
    await eventually(`${pattern} is heard`, () => Promise.resolve(pattern.test(this.text)));
  }

  async ends(): Promise<void> {
    await eventually('the end is heard', () => Promise.resolve(this.hasEnded));
  }
}

/** What a sidecar has counted of the connections between the two, by the middle of Istio's name. */
async function countsOf(workload: Workload): Promise<Map<string, number>> {
  const url = `http://127.0.0.1:${await workload.adminPort()}/stats/prometheus`;
  const lines = (await (await fetch(url)).text()).split('\n').filter((line) => line.startsWith('istio_tcp_'));
  const ours = lines.filter(
    (line) => /destination_service_name="echo"/.test(line) && /source_workload="client"/.test(line),
  );
  return new Map(
    ours.map((line) => [
      /^istio_tcp_(?:connections_)?([a-z]+)/.exec(line)![1]!,
      Number(line.split(' ').at(-1)),
    ]),
  );
}

test('TCP connections are streams of few links between sidecars, which hide what they carry', async (t) => {
  await using mesh = await Mesh.start();
  const inboundPort = await stablePort();
  const relay = await startRelay(inboundPort);
  await using _server = relay.server;
  // The client is there first, and knows nothing of what it will call.
  const client = await mesh.client(['echo:7000', 'chat:80'], ['--access-log', mesh.path('client.log')]);
  const port = Number(new URL(client.url('echo')).port);
  assert.equal((await send({ url: client.url('echo') })).status, 503);
  const early = new Conversation(port);
  early.socket.write('PING\r\n');
  await early.ends();
  assert.equal(early.text, '', 'what is no HTTP is not answered by HTTP');

  const advertised = [
    '--advertise-address',
    `127.0.0.1:${relay.server.port}`,
    '--access-log',
    mesh.path('echo.log'),
  ];
  const flags = ['--protocol', 'tcp', '--inbound-port', `${inboundPort}`, ...advertised];
  const [server] = await Promise.all([
    mesh.publish('echo', echo, { port: 7000, flags }),
    mesh.publish('chat', [process.execPath, testApp('chat.ts')], { port: 80 }),
  ]);
  await mesh.synced(3);

  const open = Array.from({ length: 60 }, () => new Conversation(port));
  await Promise.all(open.map((one) => one.hears(/^hello from \d+\n$/)));
  for (const [index, { socket }] of open.entries()) socket.write(`${marker} ${index}\n`);
  await Promise.all(open.map((one, index) => one.hears(new RegExp(`\\n${marker} ${index}\\n$`))));

  // The client says all, the server answers.
  const [first, second, ...others] = open;
  first!.socket.end();
  await first!.ends();
  assert.match(first!.text, / bytes\n$/);
  // The server says all, the client goes on.
  second!.socket.write('hush');
  await second!.ends();
  assert.match(second!.text, /hushed\n$/);
  second!.socket.end('and another thing');
  await server.run.line(/^heard \d+ bytes$/);

  const large = new Conversation(port);
  const bytes = 'x'.repeat(3_000_000);
  large.socket.end(bytes);
  await large.ends();
  assert.ok(large.text.includes(bytes), 'as much comes back as was sent');
  assert.match(large.text, /x3000000 bytes\n$/);

  const links = relay.connections.filter(({ fromClient }) => fromClient.length > 0);
  assert.ok(links.length >= 1 && links.length <= 2, `61 connections over ${links.length} links`);
  for (const { fromClient, fromServer } of links) {
    const hello = readServerHello(Buffer.concat(fromServer));
    assert.deepEqual(hello, { legacyVersion: 0x0303, selectedVersion: 0x0304 });
    for (const all of [Buffer.concat(fromClient), Buffer.concat(fromServer)])
      for (const secret of [marker, 'hello from', 'CONNECT', 'spiffe://'])
        assert.equal(all.indexOf(secret), -1);
  }

  // A WebSocket is a stream of the HTTP link, and one of HTTP/1.1 again at the other end.
  const chat = new Conversation(Number(new URL(client.url('chat')).port));
  chat.socket.write(
    'GET / HTTP/1.1\r\nHost: chat\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await chat.hears(
    /^HTTP\/1\.1 101 [^]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n[^]*\r\n\r\n$/,
  );
  chat.socket.write('echoed');
  await chat.hears(/\r\n\r\nechoed$/);
  chat.socket.destroy();

  // Both sides have counted, and know of each other.
  const caller = await countsOf(client);
  assert.deepEqual(caller.get('opened'), 61);
  assert.ok(caller.get('sent')! > bytes.length);
  await eventually('the other side has counted the same', async () => {
    const callee = await countsOf(server);
    return ['opened', 'closed', 'received', 'sent'].every((name) => caller.get(name) === callee.get(name));
  });

  // HTTP's proxy says what it can't do, but for CONNECT.
  const tunnel = new Conversation(Number(new URL(client.proxy).port));
  tunnel.socket.write('CONNECT echo:7000 HTTP/1.1\r\nHost: echo:7000\r\n\r\n');
  await tunnel.hears(/^HTTP\/1\.1 200 [^]*\r\n\r\nhello from \d+\n$/);
  tunnel.socket.write('through a tunnel\n');
  await tunnel.hears(/through a tunnel\n$/);
  tunnel.socket.end();
  await tunnel.ends();
  const misled = await send({ url: client.proxy, headers: { host: 'echo:7000' } });
  assert.equal(misled.status, 421);
  assert.match(misled.body, /--upstream/);

  // What is open goes on while the instance leaves, and ends with the application.
  server.run.kill('SIGTERM');
  await eventually('the instance is withdrawn', async () => (await mesh.endpoints()).length === 1);
  for (const { socket } of others) socket.write('still here\n');
  await Promise.all(others.map((one) => one.hears(/still here\n$/)));
  for (const { socket } of others) socket.end();
  await Promise.all(others.map((one) => one.ends()));
  assert.deepEqual(
    open.flatMap(({ error }) => error ?? []),
    [],
  );
  client.run.kill('SIGTERM');
  await Promise.all([server.run.ended(), client.run.ended()]);
  const ends = [
    ['client.log', /^\S+ "- - -" 0 - .* 3000000 \d+ \d+ .* outbound\|7000\|\|echo\.default\S+ /m],
    ['echo.log', /^\S+ "CONNECT - HTTP\/2" 200 .* 3000000 \d+ \d+ .* inbound\|7000\|\| /m],
  ] as const;
  for (const [file, line] of ends) {
    assert.match(await readFile(mesh.path(file), 'utf8'), line);
  }
  t.diagnostic(`61 connections over ${links.length} links`);
});
