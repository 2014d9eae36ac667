import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireDistinctPorts } from './distinct-ports.ts';

test('two flags with one port are refused, those that take any are not', () => {
  requireDistinctPorts({ '--api-port': 0, '--xds-port': 0, '--join-port': 15_011 });
  assert.throws(
    () => requireDistinctPorts({ '--api-port': 1, '--xds-port': 18_600, '--join-port': 18_600 }),
    {
      message: '--xds-port and --join-port both say 18600; each needs a port of its own',
    },
  );
});
