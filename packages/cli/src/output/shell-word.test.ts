import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from './shell-word.ts';

test('quotes only what sh would not take as it is', () => {
  assert.equal(shellWord('/srv/mesh-1/.heddle'), '/srv/mesh-1/.heddle');
  assert.equal(shellWord('my mesh'), "'my mesh'");
});

test('sh reads every word back', () => {
  for (const word of ['', 'my mesh', "it's", '$HOME `id`', 'a\nb', '*', '~', 'a;b', '"']) {
    assert.equal(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' }), word);
  }
});
