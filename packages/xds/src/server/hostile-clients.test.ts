import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serveSource, type ServedSource } from '../testing/served-source.ts';
import { SotwClient } from '../testing/sotw-client.ts';
import { TestClient } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import type { NameTable } from './name-table.ts';

/** What the server keeps for all streams. */
function tables({ server }: ServedSource): Map<string, NameTable> {
  return (server as unknown as { names: Map<string, NameTable> }).names;
}

describe('what a client can have the server keep', () => {
  it('is no name that it has asked for and given up, though no resource ever changes', async () => {
    const mesh = serveSource();
    mesh.source.set(TypeUrl.secret, 'kept', '1', Buffer.from('kept@1'));
    const other = new TestClient(mesh.server, 'other');
    const client = new TestClient(mesh.server);
    for (let round = 0; round < 8; round++) {
      const names = Array.from({ length: 5000 }, (_, index) => `${round}-${index}`);
      await client.request({ typeUrl: TypeUrl.secret, resourceNamesSubscribe: names });
      if (round === 0) await other.subscribe(TypeUrl.secret, 'kept');
      await client.unsubscribe(TypeUrl.secret, ...names);
    }
    const size = tables(mesh).get(TypeUrl.secret)?.size ?? 0;
    assert.ok(size < 20_000, `${size} names are kept`);
    assert.equal(client.status, null);
    await other.ack(other.received.shift()!);
    mesh.source.set(TypeUrl.secret, 'kept', '2', Buffer.from('kept@2'));
    mesh.source.tell();
    assert.deepEqual((await other.take()).resources, ['kept@2']);
  });

  it('is no type that it made up, once it is gone, and not many before', async () => {
    const mesh = serveSource();
    const client = new TestClient(mesh.server);
    await client.subscribe(TypeUrl.cluster);
    for (let index = 0; client.status === null; index++) await client.subscribe(`made.up/${index}`, 'x');
    assert.equal(client.status.code, 8);
    assert.deepEqual([...tables(mesh).keys()], [TypeUrl.cluster]);
  });

  it('is no response of the state of the world that it never answers', async () => {
    const mesh = serveSource();
    const client = new SotwClient(mesh.server);
    for (let round = 0; round < 200; round++) {
      mesh.source.set(TypeUrl.secret, `s${round}`, '1', Buffer.from('secret'));
      await client.request({ typeUrl: TypeUrl.secret, resourceNames: [`s${round}`] });
    }
    assert.equal(client.received.length, 200);
    const { handler } = client as unknown as {
      handler: { types: Map<string, { nonces: Map<string, string> }> };
    };
    assert.ok((handler.types.get(TypeUrl.secret)?.nonces.size ?? 0) <= 64);
  });
});
