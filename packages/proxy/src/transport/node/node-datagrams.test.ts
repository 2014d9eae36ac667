import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { DatagramAddress, DatagramHandler } from '../datagrams.ts';
import { NodeDatagrams } from './node-datagrams.ts';

const nodeDatagrams = new NodeDatagrams();

const anywhere = { host: '127.0.0.1', port: 0 };

/** Resolves with what the handler is told first. */
function firstEvent(): { readonly handler: DatagramHandler; readonly event: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    event: promise,
    handler: {
      onDatagram: (bytes, from: DatagramAddress) =>
        resolve(`${bytes.toString()} from ${from.host}:${from.port}`),
      onError: (detail) => resolve(`error ${detail}`),
    },
  };
}

test('datagrams go both ways', async () => {
  const server = firstEvent();
  const client = firstEvent();
  const bound = await nodeDatagrams.openDatagrams({ local: anywhere, peer: null }, server.handler);
  const asking = await nodeDatagrams.openDatagrams({ local: anywhere, peer: bound.address }, client.handler);
  asking.send(Buffer.from('ping'), bound.address);
  assert.equal(await server.event, `ping from 127.0.0.1:${asking.address.port}`);
  bound.send(Buffer.from('pong'), asking.address);
  assert.equal(await client.event, `pong from 127.0.0.1:${bound.address.port}`);
  bound.close();
  asking.close();
  asking.close();
});

test('a socket with a peer hears of nobody else, and that its peer is not there', async () => {
  const gone = await nodeDatagrams.openDatagrams({ local: anywhere, peer: null }, firstEvent().handler);
  const client = firstEvent();
  const asking = await nodeDatagrams.openDatagrams({ local: anywhere, peer: gone.address }, client.handler);
  const stranger = await nodeDatagrams.openDatagrams({ local: anywhere, peer: null }, firstEvent().handler);
  stranger.send(Buffer.from('forged'), asking.address);
  gone.close();
  asking.send(Buffer.from('ping'), gone.address);
  assert.match(await client.event, /^error .*ECONNREFUSED/);
  stranger.close();
  asking.close();
});

test('an address in use is named', async () => {
  const first = await nodeDatagrams.openDatagrams({ local: anywhere, peer: null }, firstEvent().handler);
  await assert.rejects(
    nodeDatagrams.openDatagrams({ local: first.address, peer: null }, firstEvent().handler),
    new RegExp(`can't listen on 127\\.0\\.0\\.1:${first.address.port} \\(UDP\\)`),
  );
  first.close();
});

/** The program of a process that answers the first datagram to the socket that it has inherited, then ends. */
const successor = `
import { InheritedSockets } from ${JSON.stringify(import.meta.resolve('../socket-source.ts'))};
import { NodeDatagrams } from ${JSON.stringify(import.meta.resolve('./node-datagrams.ts'))};
const inherited = new InheritedSockets([{ address: 'udp 127.0.0.1:0', descriptor: 3 }]);
const socket = await new NodeDatagrams(inherited).openDatagrams(
  { local: { host: '127.0.0.1', port: 0 }, peer: null },
  {
    onDatagram: (bytes, from) => {
      socket.send(Buffer.from('answer to ' + bytes), from);
      setImmediate(() => socket.close());
    },
    onError: console.error,
  },
);
console.log(inherited.isEmpty, socket.address.port);
`;

test('another process goes on with the same socket', async () => {
  const datagrams = new NodeDatagrams();
  const replaced = await datagrams.openDatagrams({ local: anywhere, peer: null }, firstEvent().handler);
  const client = firstEvent();
  const asking = await datagrams.openDatagrams({ local: anywhere, peer: replaced.address }, client.handler);
  const [socket, ...others] = datagrams.openSockets();
  assert.deepEqual(others, [], 'only what others come to');
  assert.equal(socket!.address, 'udp 127.0.0.1:0');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', successor], {
    stdio: ['ignore', 'pipe', 'inherit', socket!.descriptor],
  });
  assert.equal(String((await once(child.stdout!, 'data'))[0]), `true ${replaced.address.port}\n`);
  replaced.close();
  assert.deepEqual(datagrams.openSockets(), []);
  asking.send(Buffer.from('ping'), replaced.address);
  assert.equal(await client.event, `answer to ping from 127.0.0.1:${replaced.address.port}`);
  asking.close();
});
