// Connections in numbers: idle ones, heads that never end, heads byte by byte. What each may cost is stated, and all of
// it is given back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { eventually, skipWithout } from '@heddle/testkit';
import { headTimeoutMs } from './bootstrap.ts';
import { LoadedProxy, MemoryPeak, mebibyte, needsMemory } from './loaded-proxy.ts';
import { RawClient, answerBody, inBatches, openMany } from './raw-client.ts';

/** What an idle keep-alive connection may cost, its share of V8's slack included. */
const idleBytes = 16 * 1024;
/** What a head on its way may cost beyond its own bytes. */
const headOverheadBytes = 24 * 1024;
/** What any number of connections may cost: the heap grows in steps. */
const slackBytes = 12 * mebibyte;
/** Just below what a head may have. */
const longHead = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(60_000)}`;
/** What V8 lets lie of buffers that nobody needs any more, before it looks or the proxy has been quiet for some time. */
const garbageBytes = 128 * mebibyte;
const recoveredRatio = 1.5;
const recoveryMs = 60_000;

export interface ConnectionsOptions {
  readonly idle: number;
  readonly slow: number;
  /** Waits until memory is what it was: a proxy gives it back once it has been quiet for some time. */
  readonly recovers: boolean;
}

/** Node.js raises what a process may have open to the hard limit by itself; that one is for the machine's owner to raise. */
function enoughFiles(connections: number): string | false {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'latin1' }).trim();
  const isEnough = limit === 'unlimited' || Number(limit) > connections + 500;
  return skipWithout({
    [`a limit (ulimit -Hn) above ${connections + 500} open files`]: isEnough ? limit : null,
  });
}

/** Tests with so many connections at a time. */
export function testConnections({ idle, slow, recovers }: ConnectionsOptions): void {
  describe('connections in numbers', { skip: needsMemory || enoughFiles(idle) }, () => {
    let proxy: LoadedProxy;

    before(async () => {
      proxy = await LoadedProxy.start((_incoming, response) => response.end(answerBody));
      // Code is compiled and pools are filled by the first few.
      const clients = await openMany(proxy, 100);
      await inBatches(clients, (client) => client.ask());
      await inBatches(clients, (client) => client.close());
    });
    after(() => proxy.close());

    const assertRecovers = async (memory: number): Promise<void> => {
      if (!recovers) return;
      await eventually(
        `memory is back to ${recoveredRatio} times of ${memory / mebibyte} MiB`,
        () => proxy.memory < recoveredRatio * memory,
        recoveryMs,
        1000,
      );
    };

    test(`${idle} idle connections are kept for little, and all of them can be used`, async (t) => {
      const memory = proxy.memory;
      const clients = await openMany(proxy, idle);
      await inBatches(clients, (client) => client.ask());
      const perConnection = (proxy.memory - memory) / idle;
      t.diagnostic(`${(perConnection / 1024).toFixed(1)} KiB for each`);
      assert.ok(perConnection < idleBytes + slackBytes / idle, `${perConnection} bytes for each`);
      await inBatches(clients, (client) => client.ask());
      assert.equal(clients.filter(({ isClosed }) => isClosed).length, 0);
      await inBatches(clients, (client) => client.close());
      await assertRecovers(memory);
    });

    test(`${slow} heads of 60 KiB without an end are held for a while and dropped`, async (t) => {
      const memory = proxy.memory;
      const limit = slow * (longHead.length + headOverheadBytes) + slackBytes;
      for (let round = 0; round < (recovers ? 4 : 1); round++) {
        const peak = new MemoryPeak(proxy);
        const clients = await openMany(proxy, slow);
        for (const { socket } of clients) socket.write(longHead);
        const other = await RawClient.connect(proxy);
        await other.ask();
        await other.close();
        await inBatches(clients, (client) => client.closed(), slow);
        const grown = peak.stop();
        t.diagnostic(`${(grown / mebibyte).toFixed(1)} MiB for all`);
        // Dropped with its bytes unread a client may get a reset instead of its answer.
        for (const { text } of clients) assert.match(text, /^(?:HTTP\/1\.1 408 |$)/);
        assert.ok(grown < limit, `${grown} bytes for ${slow} heads`);
      }
      const left = proxy.memory - memory;
      assert.ok(left < limit + garbageBytes, `${left} bytes more than in the beginning`);
      await assertRecovers(memory);
    });

    test(`${slow} clients that send their heads byte by byte are dropped in time, and others are served`, async () => {
      const memory = proxy.memory;
      const peak = new MemoryPeak(proxy);
      const started = performance.now();
      const clients = await openMany(proxy, slow);
      const other = await RawClient.connect(proxy);
      const head = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
      let sent = 0;
      await eventually(
        'all are dropped',
        async () => {
          const open = clients.filter(({ isClosed }) => !isClosed);
          for (const { socket } of open) socket.write(head[sent] ?? 'x');
          sent++;
          await other.ask();
          return open.length === 0;
        },
        10 * headTimeoutMs,
        100,
      );
      assert.ok(performance.now() - started > headTimeoutMs, 'none before its time');
      assert.ok(sent > 3);
      const answered = clients.filter(({ text }) => text.startsWith('HTTP/1.1 408 '));
      assert.ok(answered.length > slow / 2, `${answered.length} were told why`);
      assert.ok(peak.stop() < slow * idleBytes + slackBytes);
      await other.close();
      await assertRecovers(memory);
    });
  });
}
