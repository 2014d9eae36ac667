// h2spec in its strict mode against the codec itself: a server that echoes, without a proxy.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLogger, systemClock, systemRandom } from '@heddle/base';
import { skipWithout, startChild } from '@heddle/testkit';
import { acceptEcho, testContext, testSettings } from '../../../packages/proxy/src/http2/test-servers.ts';
import type { LinkSecurity } from '../../../packages/proxy/src/tls/link-security.ts';
import { NodeTransport } from '../../../packages/proxy/src/transport/node/node-transport.ts';
import { listenerSecurity } from '../../../packages/proxy/src/transport/node/tls-under-test.ts';
import { findH2spec } from './h2spec-program.ts';

const h2spec = await findH2spec();
const skip = skipWithout({ h2spec });

async function run(context: TestContext, security: LinkSecurity | null): Promise<string> {
  const logger = createLogger({ clock: systemClock, sink: (line) => assert.fail(line) });
  // As many as h2spec opens in order to open one too many.
  const settings = testSettings({ maxConcurrentStreams: 100 });
  const listener = await new NodeTransport(systemClock, logger).listen(
    { address: { host: '127.0.0.1', port: 0 }, security },
    acceptEcho(settings, testContext(systemClock, systemRandom)),
  );
  context.after(() => listener.close());
  const { port } = listener.address as { port: number };
  const secured = security === null ? [] : ['--tls', '--insecure'];
  await using child = await startChild(h2spec!, {
    arguments: ['--strict', '--port', String(port), '--timeout', '5', ...secured],
  });
  await child.ended(120_000);
  return child.output;
}

for (const [how, security] of [
  ['cleartext', null],
  ['TLS', listenerSecurity({ alpn: ['h2'] })],
] as const) {
  test(`every case passes over ${how}`, { skip }, async (context) => {
    const output = await run(context, security);
    assert.match(output, /146 tests, 146 passed, 0 skipped, 0 failed/);
  });
}
