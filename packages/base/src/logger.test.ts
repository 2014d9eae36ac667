import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './logger.ts';

test('writes one JSON line per entry with the fields of its parents', () => {
  const lines: string[] = [];
  const clock = { now: () => 5, monotonic: () => 0, setTimer: () => ({ cancel: () => undefined }) };
  const logger = createLogger({ clock, sink: (line) => lines.push(line), fields: { instance: 'a' } });
  logger.child({ peer: 'b' }).warn('peer\nrefused', { fault: 'expired' });
  logger.debug('not shown');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    [{ level: 40, time: 5, msg: 'peer\nrefused', instance: 'a', peer: 'b', fault: 'expired' }],
  );
  assert.equal(lines[0]!.split('\n').length, 2, 'a line break in a message stays inside its line');
});
