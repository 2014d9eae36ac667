import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, LogThreshold } from './logger.ts';

test('writes one JSON line per entry with the fields of its parents', () => {
  const lines: string[] = [];
  const clock = {
    now: () => 5,
    monotonic: () => 0,
    recent: () => 0,
    setTimer: () => ({ cancel: () => undefined }),
    defer: () => undefined,
  };
  const logger = createLogger({ clock, sink: (line) => lines.push(line), fields: { instance: 'a' } });
  logger.child({ peer: 'b' }).warn('peer\nrefused', { fault: 'expired' });
  logger.debug('not shown');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    [{ level: 40, time: 5, msg: 'peer\nrefused', instance: 'a', peer: 'b', fault: 'expired' }],
  );
  assert.equal(lines[0]!.split('\n').length, 2, 'a line break in a message stays inside its line');
});

test('follows a threshold that is shared and moved while the logger is in use', () => {
  const lines: string[] = [];
  const threshold = new LogThreshold('warn');
  const logger = createLogger({ level: threshold, sink: (line) => lines.push(line) });
  const child = logger.child({ peer: 'b' });
  child.info('before');
  threshold.level = 'debug';
  child.debug('after');
  threshold.level = 'off';
  logger.error('never');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['after'],
  );
});
