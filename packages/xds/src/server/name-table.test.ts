import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NameStates, NameTable } from './name-table.ts';
import { KnownVersion, VersionTable } from './version-table.ts';

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `name-${index}`);
}

describe('NameStates', () => {
  it('keeps what is asked for apart from what is known', () => {
    const states = new NameStates(new NameTable());
    assert.equal(states.addName('a'), true);
    assert.equal(states.addName('a'), false);
    states.setVersion('a', 7);
    states.setVersion('b', KnownVersion.absent);
    assert.deepEqual([states.isNamed('a'), states.version('a')], [true, 7]);
    assert.deepEqual([states.isNamed('b'), states.version('b')], [false, KnownVersion.absent]);
    assert.equal(states.namedCount, 1);
    assert.equal(states.deleteName('a'), true);
    assert.equal(states.deleteName('a'), false);
    assert.deepEqual([states.version('a'), states.namedCount], [7, 0]);
    states.setVersion('a', KnownVersion.none);
    assert.deepEqual([...states.names()], ['b']);
  });

  it('says nothing of names that only others know', () => {
    const table = new NameTable();
    const others = new NameStates(table);
    for (const name of numbered(1000)) others.addName(name);
    const states = new NameStates(table);
    assert.deepEqual([states.isNamed('name-999'), states.version('name-999')], [false, KnownVersion.none]);
    states.addName('name-999');
    assert.deepEqual([...states.names()], ['name-999']);
  });

  it('stays as it is when names are numbered anew', () => {
    const table = new NameTable();
    const [kept, gone] = [new NameStates(table), new NameStates(table)];
    for (const name of numbered(15_000)) gone.addName(name);
    for (const [index, name] of numbered(15_000).entries()) {
      if (index % 5000 !== 1) continue;
      kept.addName(name);
      kept.setVersion(name, index + 10);
    }
    assert.ok(table.isWorthCompacting);
    const used = new Uint8Array(table.size);
    kept.markIds(used);
    kept.moveIds(table.compact(used));
    assert.deepEqual([table.size, table.isWorthCompacting], [3, false]);
    assert.deepEqual([...kept.names()], ['name-1', 'name-5001', 'name-10001']);
    assert.deepEqual([kept.version('name-5001'), kept.isNamed('name-5001')], [5011, true]);
    assert.equal(kept.isNamed('name-2'), false);
  });
});

describe('VersionTable', () => {
  it('gives each version one number, and none twice, however many there were', () => {
    const versions = new VersionTable();
    const first = versions.numberOf('first');
    const seen = new Set([first]);
    for (const name of numbered(120_000)) {
      seen.add(versions.numberOf(name));
      assert.equal(versions.numberOf('first'), first);
    }
    assert.equal(seen.size, 120_001);
    assert.ok(!seen.has(KnownVersion.foreign));
  });
});
