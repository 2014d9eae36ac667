import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { isPortFree, PortBlocks, requireFreePort } from './ports.ts';

/** Always the same number: everybody wants the same block first. */
const stubborn = { uint32: () => 5, float: () => 0 };

test('takes free ports below the ephemeral range, each once', async () => {
  const blocks = new PortBlocks();
  const ports = await Promise.all(Array.from({ length: 12 }, async () => await blocks.take()));
  blocks.close();
  assert.equal(new Set(ports).size, ports.length);
  for (const port of ports) {
    assert.ok(port > 20_000 && port < 32_768, String(port));
    assert.ok(await isPortFree(port));
  }
});

test('keeps two supervisors apart that choose at the same moment', async () => {
  const one = new PortBlocks(stubborn);
  const other = new PortBlocks(stubborn);
  const ports = await Promise.all([one.take(), other.take(), one.take(), other.take()]);
  assert.equal(new Set(ports).size, 4);
  one.close();
  other.close();
});

test('gives its block back', async () => {
  const one = new PortBlocks(stubborn);
  const first = await one.take();
  one.close();
  const other = new PortBlocks(stubborn);
  assert.equal(await other.take(), first);
  other.close();
});

test('passes over a port that something listens on', async () => {
  const finder = new PortBlocks(stubborn);
  const taken = await finder.take();
  finder.close();
  const server = createServer().listen(taken, '127.0.0.1');
  await once(server, 'listening');
  const blocks = new PortBlocks(stubborn);
  assert.notEqual(await blocks.take(), taken);
  blocks.close();
  await assert.rejects(requireFreePort(taken, '127.0.0.1', '--expose'), {
    code: 'HEDDLE_PORT_IN_USE',
    message: `--expose: port ${taken} on 127.0.0.1 is in use`,
  });
  server.close();
});

test("refuses an address that is not this machine's", async () => {
  await assert.rejects(requireFreePort(8080, '192.0.2.1', '--expose'), {
    code: 'HEDDLE_ADDRESS_UNAVAILABLE',
  });
});
