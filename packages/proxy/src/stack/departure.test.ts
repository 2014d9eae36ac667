// A proxy whose sockets another process takes over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpChain, socketAddress } from '../listener/test-proxy.ts';
import { type World, virtualWorld } from '../listener/test-worlds.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

function listener(world: World, name: string, port: number, body = name): object {
  return { name, address: socketAddress(world.proxyHost, port), filter_chains: [httpChain(body)] };
}

const names = ({ proxy: { proxy } }: World): string[] => proxy.listeners.listeners.map(({ name }) => name);

test('while its sockets are handed over it binds nothing, but applies all else; told to stay it goes on', async (t) => {
  const world = virtualWorld(t);
  await world.proxy.load({ listeners: [listener(world, 'old', 8001)] });
  const { gate } = world.proxy.proxy;
  await gate.hold();
  const applied = world.proxy.load({
    listeners: [listener(world, 'old', 8001, 'changed'), listener(world, 'new', 8002)],
  });
  const { connection, handler } = world.connect(8001);
  connection.writeLatin1(get);
  await world.until('the change is in force', () => handler.received.toString().endsWith('changed'));
  assert.deepEqual(names(world), ['old']);
  gate.release();
  await applied;
  assert.deepEqual(names(world), ['old', 'new']);
});

test('after it has departed it follows changes for those who are connected, and binds nothing', async (t) => {
  const world = virtualWorld(t);
  await world.proxy.load({ listeners: [listener(world, 'old', 8001)] });
  const { connection, handler } = world.connect(8001);
  connection.writeLatin1(get);
  await world.until('it is answered', () => handler.received.toString().endsWith('old'));
  const { proxy } = world.proxy;
  let isOver = false;
  await proxy.gate.hold();
  const departed = proxy.departure(900_000).then(() => (isOver = true));
  await world.proxy.load({
    listeners: [listener(world, 'old', 8001, 'changed'), listener(world, 'new', 8002)],
  });
  assert.deepEqual(names(world), ['old']);
  connection.writeLatin1(get);
  await world.until('the change is in force', () => handler.received.toString().endsWith('changed'));
  const late = world.connect(8001);
  await world.until('nobody listens', () => late.handler.closes > 0);
  assert.equal(isOver, false);
  connection.destroy();
  await world.until('it is over', () => isOver);
  await departed;
});
