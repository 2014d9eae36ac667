import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openHeddleDatabase } from './heddle-database.ts';
import { MemoryServiceBindings, type ServiceBindings } from './service-bindings.ts';
import { SqliteServiceBindings } from './sqlite-service-bindings.ts';

const directory = mkdtempSync(join(tmpdir(), 'heddle-bindings-'));
const path = join(directory, 'heddle.db');
const database = openHeddleDatabase(path);
after(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const binding = { namespace: 'default', serviceAccount: 'stars', service: 'ratings' };

const implementations: Record<string, ServiceBindings> = {
  memory: new MemoryServiceBindings(),
  sqlite: new SqliteServiceBindings(database, path),
};

for (const [name, bindings] of Object.entries(implementations)) {
  describe(`ServiceBindings: ${name}`, () => {
    it('has what was added, however often, and nothing that differs in one part', async () => {
      assert.equal(await bindings.has(binding), false);
      await bindings.add(binding);
      await bindings.add(binding);
      assert.equal(await bindings.has(binding), true);
      for (const part of ['namespace', 'serviceAccount', 'service'])
        assert.equal(await bindings.has({ ...binding, [part]: 'other' }), false, part);
    });
  });
}

describe('heddle.db', () => {
  it('keeps bindings over closing and opening', async () => {
    const kept = join(directory, 'kept.db');
    const first = openHeddleDatabase(kept);
    await new SqliteServiceBindings(first, kept).add(binding);
    first.close();
    const second = openHeddleDatabase(kept);
    assert.equal(await new SqliteServiceBindings(second, kept).has(binding), true);
    second.close();
  });

  it('takes bindings in a store that was made before there were any', async () => {
    const old = join(directory, 'old.db');
    const first = openHeddleDatabase(old);
    first.exec('DROP TABLE service_bindings');
    first.close();
    const second = openHeddleDatabase(old);
    const bindings = new SqliteServiceBindings(second, old);
    await bindings.add(binding);
    assert.equal(await bindings.has(binding), true);
    second.close();
  });
});
