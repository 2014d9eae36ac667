// TPROXY: both addresses of a connection stay what they are, on both sides of the proxy.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Address, NetworkNamespace, createPair, skipInterception } from './support/network-namespace.ts';
import { listenIn, probeFrom } from './support/order.ts';

const skip = skipInterception('setpriv');
const relay = fileURLToPath(new URL('support/transparent-relay.ts', import.meta.url));
const to = (host: string, port = 80) => ({ host, port });

describe('interception by TPROXY', { skip }, () => {
  for (const backend of ['iptables', 'nft']) {
    test(`keeps the caller's address and the one it has called, ${backend}`, async () => {
      await using stack = new AsyncDisposableStack();
      const pair = stack.use(await createPair());
      const tcp = [22, 80].flatMap((port) => [to('0.0.0.0', port), to('::', port)]);
      await listenIn(stack, pair.app, { label: 'app', redirected: false, tcp, udp: [] });
      const proxy = stack.use(await pair.app.start([process.execPath, relay, '77']));
      await proxy.line(/^listening$/);
      const flags = [
        '--backend',
        backend,
        '--mode',
        'tproxy',
        '--tproxy-mark',
        '77',
        '--tproxy-route-table',
        '78',
      ];
      const applied = await pair.app.heddle('intercept', 'apply', ...flags);
      assert.equal(applied.exit?.code, 0, applied.output);
      const relayed = (): string[] => proxy.stdout.split('\n').filter((line) => line.startsWith('relay'));

      const targets = [to(Address.app), to(Address.app6), to(Address.app, 22)];
      assert.deepEqual(await probeFrom(pair.world, { targets }), [
        `app ${Address.app} 80 from ${Address.world}`,
        `app ${Address.app6} 80 from ${Address.world6}`,
        `app ${Address.app} 22 from ${Address.world}`,
      ]);
      assert.deepEqual(relayed(), [`relay ${Address.app} 80`, `relay ${Address.app6} 80`]);

      // The proxy's own calls of this machine go in as others' do; the application's, and those on loopback, do not.
      await probeFrom(pair.app, { uid: 1337, targets: [to(Address.app), to(Address.app6), to('127.0.0.1')] });
      assert.equal(relayed().length, 4);
      assert.deepEqual(await probeFrom(pair.app, { targets: [to(Address.app), to('127.0.0.1')] }), [
        `app ${Address.app} 80 from ${Address.app}`,
        'app 127.0.0.1 80 from 127.0.0.1',
      ]);
      assert.equal(relayed().length, 4);

      // Nobody listens there: the caller gets an end, and no loop.
      await probeFrom(pair.world, { targets: [to(Address.app, 81)] });
      await proxy.line(/^failed: connection refused$/);
      assert.equal(relayed().length, 5);
    });
  }

  test('says what a transparent listener lacks without privileges', async () => {
    await using namespace = await NetworkNamespace.create();
    const words = ['setpriv', '--bounding-set', '-net_admin,-net_raw', process.execPath, relay, '77'];
    const { output } = await namespace.run(words);
    assert.match(output, /^HeddleError: can't make the listener on :: transparent: .* CAP_NET_ADMIN$/m);
  });
});
