import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@heddle/base';
import { SysTransport, openEngine } from './sys-transport.ts';

const engine = openEngine();

test(
  'refuses to listen where the system can watch no more sockets',
  { skip: typeof engine === 'string' ? engine : false },
  async (t) => {
    assert.ok(typeof engine !== 'string');
    const { kernel } = engine;
    const transport = new SysTransport(engine, systemClock, silentLogger);
    // Fails as it would for another reason.
    const watch = t.mock.method(kernel, 'watch', () => kernel.read(-1, kernel.stagingAddress, 1));
    const before = readdirSync('/proc/self/fd').length;
    await assert.rejects(
      transport.listen({ address: { host: '127.0.0.1', port: 0 }, security: null }, () =>
        assert.fail('nothing has been accepted'),
      ),
      { code: 'HEDDLE_LISTEN_FAILED', message: /^can't listen on 127\.0\.0\.1:0: .*EBADF/ },
    );
    assert.equal(watch.mock.callCount(), 1);
    assert.equal(readdirSync('/proc/self/fd').length, before);
    assert.deepEqual(transport.openSockets(), []);
  },
);
