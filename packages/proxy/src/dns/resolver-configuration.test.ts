import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { parseHosts, parseResolvConf } from './resolver-configuration.ts';
import { systemResolverConfiguration } from './system-resolver.ts';

test('reads what resolv.conf says', () => {
  const text = `# a comment
nameserver 10.0.0.53   ; another
nameserver 2001:db8::53
nameserver not-an-address
nameserver 10.0.0.54
nameserver 10.0.0.55
domain old.test
search Default.svc.Cluster.Local. svc.cluster.local
options ndots:5 timeout:2 attempts:9 edns0 use-vc
unknown line
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: [
      { host: '10.0.0.53', port: 53 },
      { host: '2001:db8::53', port: 53 },
      { host: '10.0.0.54', port: 53 },
    ],
    search: ['default.svc.cluster.local', 'svc.cluster.local'],
    minDots: 5,
    timeoutMs: 2000,
    attempts: 5,
    usesTcp: true,
  });
});

test('an empty resolv.conf means the server on this machine', () => {
  assert.deepEqual(parseResolvConf(''), {
    servers: [{ host: '127.0.0.1', port: 53 }],
    search: [],
    minDots: 1,
    timeoutMs: 5000,
    attempts: 2,
    usesTcp: false,
  });
});

test('reads a hosts file', () => {
  const hosts = parseHosts(
    '127.0.0.1 localhost\n::1 localhost ip6-localhost\n\n10.1.1.1\tDB db.test # ours\nx y\n',
  );
  assert.deepEqual(Object.fromEntries(hosts), {
    localhost: ['127.0.0.1', '::1'],
    'ip6-localhost': ['::1'],
    db: ['10.1.1.1'],
    'db.test': ['10.1.1.1'],
  });
});

test('files are read again when they are old, and may be missing', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-resolver-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'resolv.conf');
  const clock = new VirtualClock();
  const configuration = systemResolverConfiguration(clock, file, path.join(folder, 'hosts'));
  assert.equal(configuration().servers[0]?.host, '127.0.0.1');
  writeFileSync(file, 'nameserver 10.0.0.53\n');
  assert.equal(configuration().servers[0]?.host, '127.0.0.1');
  clock.advance(6000);
  assert.equal(configuration().servers[0]?.host, '10.0.0.53');
});
