import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError, silentLogger } from '@heddle/base';
import { keyOf, parseManifests } from '@heddle/model';
import { VirtualClock } from '@heddle/testkit';
import type { ConfigStore, StoreChange, StoreWatch, StoreWatcher } from '../store/config-store.ts';
import { MemoryConfigStore } from '../store/memory-config-store.ts';
import { ConfigMirror, type MirrorChange } from './config-mirror.ts';
import { encodeObject } from './object-source.ts';

function rule(name: string, host: string): StoreChange {
  const text = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name} }
spec: { host: ${host} }`;
  const [parsed] = parseManifests([{ name: 'test.yaml', text }], { namespace: 'default' }).objects;
  assert.ok(parsed !== undefined);
  return {
    type: 'put',
    key: keyOf(parsed.object),
    ...encodeObject(parsed.object),
  };
}

/** A store behind a line that can be cut: what happens meanwhile is not told, and reading fails a few times. */
class CutOffStore implements ConfigStore {
  readonly inner: MemoryConfigStore;
  isCut = false;
  failures = 0;
  watchFailures = 0;
  /** Happens between what is read and what is watched next. */
  late: StoreChange | null = null;
  private watcher: StoreWatcher | null = null;
  private present: StoreWatch | null = null;

  constructor(inner: MemoryConfigStore) {
    this.inner = inner;
  }

  async read() {
    if (this.failures > 0) {
      this.failures--;
      throw new HeddleError('HEDDLE_STORE_FAILED', 'The store does not answer.');
    }
    const snapshot = await this.inner.read();
    if (this.late !== null) await this.inner.commit([this.late], 'test');
    return snapshot;
  }

  async watch(afterRevision: number, watcher: StoreWatcher) {
    if (this.watchFailures > 0) {
      this.watchFailures--;
      throw new HeddleError('HEDDLE_STORE_FAILED', 'The store does not answer.');
    }
    this.watcher = watcher;
    this.present = await this.inner.watch(afterRevision, {
      onCommit: (commit) => {
        if (!this.isCut) watcher.onCommit(commit);
      },
      onLost: () => {},
    });
    return this.present;
  }

  lose(): void {
    this.isCut = false;
    this.present?.close();
    this.watcher?.onLost(new HeddleError('HEDDLE_STORE_COMPACTED', 'The history is gone.'));
  }

  get: ConfigStore['get'] = (key) => this.inner.get(key);
  commit: ConfigStore['commit'] = (changes, author) => this.inner.commit(changes, author);
  commitsAfter: ConfigStore['commitsAfter'] = (revision) => this.inner.commitsAfter(revision);
  history: ConfigStore['history'] = (options) => this.inner.history(options);
  close: ConfigStore['close'] = () => this.inner.close();
}

test('a mirror whose watch is lost reads everything anew and says what is otherwise, once', async () => {
  const clock = new VirtualClock();
  const store = new CutOffStore(new MemoryConfigStore(clock));
  await store.commit([rule('kept', 'kept'), rule('changed', 'old'), rule('gone', 'gone')], 'test');
  const changes: MirrorChange[] = [];
  const mirror = await ConfigMirror.open({
    store,
    clock,
    logger: silentLogger,
    onChange: (change) => changes.push(change),
  });
  const kept = mirror.list().find(({ stored }) => stored.name === 'kept');

  store.isCut = true;
  const gone = { group: 'networking.istio.io', kind: 'DestinationRule', namespace: 'default', name: 'gone' };
  await store.commit([rule('changed', 'new'), { type: 'delete', key: gone }], 'test');
  assert.equal(changes.length, 0);
  store.failures = 2;
  // What was read before must not be forgotten for that.
  store.watchFailures = 1;
  store.late = rule('late', 'late');
  store.lose();
  await clock.advanceAsync(5000);

  assert.deepEqual(
    changes.map(({ put, deleted }) => [
      put.map(({ stored }) => stored.name),
      deleted.map(({ name }) => name),
    ]),
    [[['changed', 'late'], ['gone']]],
  );
  assert.equal(mirror.revision, 3);
  assert.deepEqual(
    mirror.list().map(({ stored }) => stored.name),
    ['changed', 'kept', 'late'],
  );
  assert.equal(
    mirror.list().find(({ stored }) => stored.name === 'kept'),
    kept,
  );
  await store.commit([rule('more', 'more')], 'test');
  assert.equal(changes.length, 2, 'and it goes on watching');
  mirror.close();
});
