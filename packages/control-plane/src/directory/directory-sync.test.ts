import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createLogger, systemClock } from '@heddle/base';
import { eventually } from '@heddle/testkit';
import type { StoreChange, StoredObject } from '../store/config-store.ts';
import { openHeddleDatabase } from '../store/heddle-database.ts';
import { ReadOnlyConfigStore } from '../store/read-only-config-store.ts';
import { SqliteConfigStore } from '../store/sqlite-config-store.ts';
import { describeReading, keyOf } from '../store/testing/config-store-contract.ts';
import { DirectorySync } from './directory-sync.ts';

function manifest(name: string, host: string): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec: { hosts: [host-${host}], http: [{ route: [{ destination: { host: reviews } }] }] }
`;
}

interface World {
  readonly directory: string;
  readonly store: SqliteConfigStore;
  readonly readOnly: ReadOnlyConfigStore;
  readonly sync: DirectorySync;
  readonly log: string[];
  readonly write: (name: string, text: string) => void;
  readonly names: () => Promise<string[]>;
  readonly close: () => Promise<void>;
}

function makeWorld(limit?: number): World {
  const root = mkdtempSync(join(tmpdir(), 'heddle-directory-'));
  const directory = join(root, 'mesh');
  mkdirSync(directory);
  const path = join(root, 'heddle.db');
  const database = openHeddleDatabase(path);
  const store = new SqliteConfigStore(database, path, systemClock, limit);
  const log: string[] = [];
  const logger = createLogger({ level: 'warn', sink: (line) => void log.push(line) });
  const sync = new DirectorySync({ directory, store, clock: systemClock, logger });
  return {
    directory,
    store,
    readOnly: new ReadOnlyConfigStore(store, `Change the files in ${directory}.`),
    sync,
    log,
    write: (name, text) => writeFileSync(join(directory, name), text),
    names: async () => (await store.read()).objects.map(({ name }) => name),
    close: async () => {
      await sync.close();
      await store.close();
      if (database.isOpen) database.close();
      rmSync(root, { recursive: true });
    },
  };
}

function worldFor(t: TestContext): World {
  const world = makeWorld();
  t.after(() => world.close());
  return world;
}

describeReading('a directory of files', async (limit) => {
  const world = makeWorld(limit);
  // The directory is never empty: that would be no configuration, but a directory that is not mounted.
  world.write('none.yaml', '# nothing\n');
  return {
    store: world.readOnly,
    write: async (changes: readonly StoreChange[]) => {
      for (const change of changes) {
        if (change.type === 'put')
          world.write(`${change.key.name}.yaml`, manifest(change.key.name, change.source));
        else unlinkSync(join(world.directory, `${change.key.name}.yaml`));
      }
      await world.sync.sync();
    },
    wordOf: (object: StoredObject) => /host-(\w+)/.exec(object.source)?.[1] ?? '',
    close: () => world.close(),
  };
});

describe('a directory of files', () => {
  it('is not written through the API', async (t) => {
    const { readOnly, directory } = worldFor(t);
    await assert.rejects(readOnly.commit(), {
      code: 'HEDDLE_STORE_READ_ONLY',
      message: `Change the files in ${directory}.`,
    });
  });

  it('reads directories in directories and linked files, and neither hidden ones nor others', async (t) => {
    const { directory, sync, names, write } = worldFor(t);
    mkdirSync(join(directory, 'shop'));
    mkdirSync(join(directory, '.git'));
    mkdirSync(join(directory, '..data'));
    write('shop/a.yaml', manifest('a', '1'));
    write('..data/b.yml', manifest('b', '1'));
    symlinkSync('..data/b.yml', join(directory, 'b.yml'));
    write('.git/c.yaml', manifest('c', '1'));
    write('.d.yaml.swp', manifest('d', '1'));
    write('README.md', 'no manifest');
    await sync.sync();
    assert.deepEqual(await names(), ['a', 'b']);
  });

  it('leaves out what is no regular file and a link to a directory it is in, and says so once', async (t) => {
    const { directory, sync, names, write, log } = worldFor(t);
    mkdirSync(join(directory, 'shop'));
    write('shop/a.yaml', manifest('a', '1'));
    execFileSync('mkfifo', [join(directory, 'f.yaml')]);
    symlinkSync('../../mesh', join(directory, 'shop', 'loop'));
    symlinkSync('/dev/null', join(directory, 'null.json'));
    await sync.sync();
    await sync.sync();
    assert.deepEqual(await names(), ['a']);
    assert.equal(log.length, 1);
    assert.equal(
      JSON.parse(log[0]!).leftOut,
      'f.yaml (no regular file), null.json (no regular file), shop/loop (a link to a directory that it is in)',
    );
  });

  it('names the link that can not be followed', async (t) => {
    const { directory, sync, log } = worldFor(t);
    symlinkSync('self', join(directory, 'self'));
    await sync.sync();
    assert.match(log.at(-1) ?? '', /ELOOP: .*mesh\/self/);
  });

  it('keeps what was there while a file is wrong, says where once, and takes all when it is right', async (t) => {
    const { sync, names, write, log, store } = worldFor(t);
    write('a.yaml', manifest('a', '1'));
    write('b.yaml', manifest('b', '1'));
    await sync.sync();
    write('a.yaml', manifest('a', '2'));
    write('b.yaml', manifest('b', '2').replace('hosts:', 'host:'));
    await sync.sync();
    await sync.sync();
    assert.match((await store.get(keyOf('a')))?.source ?? '', /host-1/, 'nothing of it is taken');
    assert.ok(log.length >= 1);
    assert.match(log[0]!, /b\.yaml:4.*host/);
    const said = log.length;
    await sync.sync();
    assert.equal(log.length, said);
    write('b.yaml', manifest('b', '2'));
    await sync.sync();
    assert.match((await store.get(keyOf('a')))?.source ?? '', /host-2/);
    assert.deepEqual(await names(), ['a', 'b']);
    assert.deepEqual(
      (await store.history({ limit: 9 })).map(({ author, changes }) => `${author} ${changes.length}`),
      ['files 2', 'files 2'],
    );
  });

  it('deletes nothing because the directory is gone or empty, and everything where a file says so', async (t) => {
    const { directory, sync, names, write, log } = worldFor(t);
    write('a.yaml', manifest('a', '1'));
    await sync.sync();
    renameSync(directory, `${directory}.away`);
    await sync.sync();
    assert.deepEqual(await names(), ['a']);
    assert.match(log.at(-1) ?? '', /ENOENT/);
    mkdirSync(directory);
    await sync.sync();
    assert.deepEqual(await names(), ['a']);
    assert.match(log.at(-1) ?? '', /no file in it any more/);
    write('none.yaml', '# nothing\n');
    await sync.sync();
    assert.deepEqual(await names(), []);
  });

  it('refuses to start without the directory', async (t) => {
    const { directory, sync } = worldFor(t);
    rmSync(directory, { recursive: true });
    await assert.rejects(sync.start(), {
      code: 'HEDDLE_STORE_FAILED',
      message: /mesh's configuration.*ENOENT/,
    });
  });

  it('follows the files by itself', async (t) => {
    const { sync, names, write } = worldFor(t);
    write('a.yaml', manifest('a', '1'));
    await sync.start();
    assert.deepEqual(await names(), ['a']);
    write('b.yaml', manifest('b', '1'));
    await eventually('the new file is taken', async () => (await names()).length === 2);
  });
});
