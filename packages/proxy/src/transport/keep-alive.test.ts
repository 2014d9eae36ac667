import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { engines } from './engines-under-test.ts';
import type { Connection, ConnectionHandler } from './transport.ts';

const ignore: ConnectionHandler = {
  onConnect: () => undefined,
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

/** The timer of a connection in the kernel's table: 02 is keep-alive. */
function timerOf({ localPort, remotePort }: Connection): string {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').split('\n');
  const line = lines.find((text) => text.includes(`:${hex(localPort)} 0100007F:${hex(remotePort)} `));
  return line?.trim().split(/\s+/)[5]?.slice(0, 2) ?? 'not there';
}

for (const engine of engines) {
  const skip = process.platform === 'linux' ? engine.skip : 'only Linux shows its timers';
  test(
    `the kernel probes an idle connection where that is asked for: ${engine.name}`,
    { skip },
    async (t) => {
      const transport = engine.open();
      const listener = await transport.listen(
        { address: { host: '127.0.0.1', port: 0 }, security: null },
        () => ignore,
      );
      t.after(() => listener.close());
      for (const [keepAliveMs, timer] of [
        [60_000, '02'],
        [null, '00'],
      ] as const) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const connection = transport.connect(
          { address: listener.address, security: null, timeoutMs: 5000, keepAliveMs },
          { ...ignore, onConnect: () => resolve() },
        );
        // eslint-disable-next-line no-await-in-loop
        await promise;
        assert.equal(timerOf(connection), timer);
        connection.destroy();
      }
    },
  );
}
