// What `heddle intercept` leaves behind, and what it leaves alone.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryDirectory } from '@heddle/testkit';
import { NetworkNamespace, launcher, skipInterception } from './support/network-namespace.ts';

const skip = skipInterception('setpriv');

/** Rules, chains, tables and routes of others, some in the very chains that ours hook into. */
async function addForeignRules(namespace: NetworkNamespace): Promise<void> {
  const commands = [
    'iptables -t nat -N OTHERS',
    'iptables -t nat -A OTHERS -p tcp --dport 9999 -j REDIRECT --to-ports 1',
    'iptables -t nat -A OUTPUT -j OTHERS',
    'iptables -t mangle -A PREROUTING -p tcp --dport 9998 -j MARK --set-mark 7',
    'ip6tables -t nat -A PREROUTING -p tcp --dport 9999 -j REDIRECT --to-ports 1',
    'nft add table ip others',
    'nft add chain ip others output { type nat hook output priority 0 ; }',
    'nft add rule ip others output tcp dport 9997 redirect to :1',
    'ip rule add fwmark 1337 lookup 134',
    'ip rule add fwmark 4 lookup 133',
    'ip route add local 192.0.2.0/24 dev lo table 133',
  ];
  for (const command of commands) {
    const [program, ...words] = command.split(' ');
    await namespace.system(program!, ...words);
  }
}

async function succeed(namespace: NetworkNamespace, ...words: readonly string[]): Promise<string> {
  const child = await namespace.heddle('intercept', ...words);
  assert.equal(child.exit?.code, 0, child.output);
  return child.output;
}

/** The tables that iptables and nft themselves make on first use, empty, would be a difference otherwise. */
async function touch(namespace: NetworkNamespace): Promise<void> {
  for (const program of ['iptables', 'ip6tables']) {
    for (const table of ['nat', 'mangle']) {
      await namespace.system(program, '-t', table, '-N', 'TOUCHED');
      await namespace.system(program, '-t', table, '-X', 'TOUCHED');
      for (const chain of ['PREROUTING', 'OUTPUT']) {
        await namespace.system(program, '-t', table, '-A', chain, '-j', 'RETURN');
        await namespace.system(program, '-t', table, '-D', chain, '-j', 'RETURN');
      }
    }
  }
}

describe('heddle intercept', { skip }, () => {
  for (const backend of ['iptables', 'nft']) {
    for (const mode of ['redirect', 'tproxy']) {
      test(`removes exactly what it has written, ${backend}, ${mode}`, async () => {
        await using namespace = await NetworkNamespace.create();
        await touch(namespace);
        await addForeignRules(namespace);
        const before = await namespace.configuration();
        const flags = ['--backend', backend, '--mode', mode, '--ipv6', 'on', '--capture-all-dns'];
        await succeed(namespace, 'apply', ...flags);
        const once = await namespace.configuration();
        assert.notEqual(once, before);
        await succeed(namespace, 'apply', ...flags);
        assert.equal(await namespace.configuration(), once);
        assert.match(await succeed(namespace, 'show'), /HEDDLE_OUTPUT/);
        await succeed(namespace, 'remove');
        assert.equal(await namespace.configuration(), before);
        assert.match(await succeed(namespace, 'show'), /nothing is intercepted/);
        assert.match(await succeed(namespace, 'remove'), /nothing was intercepted/);
        assert.equal(await namespace.configuration(), before);
      });
    }
  }

  test('has one set of rules in force, whatever was applied before and with whichever back end', async () => {
    await using namespace = await NetworkNamespace.create();
    await touch(namespace);
    await succeed(namespace, 'apply', '--backend', 'iptables');
    const plain = await namespace.configuration();
    await succeed(namespace, 'apply', '--backend', 'nft', '--mode', 'tproxy', '--tproxy-mark', '77');
    assert.doesNotMatch(await namespace.system('iptables-save'), /HEDDLE/);
    assert.match(await namespace.system('ip', 'rule'), /fwmark 0x4d/);
    await succeed(
      namespace,
      'apply',
      '--backend',
      'iptables',
      '--mode',
      'tproxy',
      '--exclude-inbound-ports',
      '99',
    );
    assert.doesNotMatch(await namespace.system('nft', 'list', 'ruleset'), /table ip6? heddle/);
    assert.doesNotMatch(await namespace.system('ip', 'rule'), /fwmark 0x4d/);
    await succeed(namespace, 'apply', '--backend', 'iptables');
    assert.equal(await namespace.configuration(), plain);
    await succeed(namespace, 'apply', '--backend', 'iptables', '--ipv6', 'off');
    assert.doesNotMatch(await namespace.system('ip6tables-save'), /HEDDLE/);
  });

  test('a failure half way leaves everything as it was', async () => {
    await using namespace = await NetworkNamespace.create();
    await using directory = await temporaryDirectory();
    await touch(namespace);
    // IPv6 comes after IPv4 and routes before both: each is there when this one fails.
    const broken = join(directory.path, 'ip6tables-restore');
    await writeFile(broken, '#!/bin/sh\necho "no such luck" >&2\nexit 3\n');
    await chmod(broken, 0o755);
    const environment = { PATH: `${directory.path}:${process.env['PATH']}` };
    const apply = (...flags: readonly string[]) =>
      namespace.run([launcher, 'intercept', 'apply', '--ipv6', 'on', '--backend', 'iptables', ...flags], {
        environment,
      });
    const empty = await namespace.configuration();
    const first = await apply('--mode', 'tproxy');
    assert.equal(first.exit?.code, 1, first.output);
    assert.match(first.output, /error: ip6tables-restore failed: no such luck \(HEDDLE_INTERCEPT_FAILED\)/);
    assert.equal(await namespace.configuration(), empty);
    // The same over rules that are in force.
    await succeed(
      namespace,
      'apply',
      '--backend',
      'iptables',
      '--ipv6',
      'off',
      '--exclude-outbound-ports',
      '5432',
    );
    const inForce = await namespace.configuration();
    const second = await apply('--mode', 'tproxy');
    assert.equal(second.exit?.code, 1, second.output);
    assert.equal(await namespace.configuration(), inForce);
  });

  test('a dry run prints what it would write, and writes nothing', async () => {
    await using namespace = await NetworkNamespace.create();
    const before = await namespace.configuration();
    const printed = await succeed(
      namespace,
      'apply',
      '--dry-run',
      '--backend',
      'nft',
      '--exclude-outbound-ports',
      '5432',
    );
    assert.match(printed, /^ {4}tcp dport 5432 return$/m);
    assert.equal(await namespace.configuration(), before);
  });

  test('says what is missing without privileges', async () => {
    await using namespace = await NetworkNamespace.create();
    // The capability is what counts, not the user.
    const child = await namespace.run([
      'setpriv',
      '--bounding-set',
      '-net_admin',
      launcher,
      'intercept',
      'apply',
    ]);
    assert.equal(child.exit?.code, 1, child.output);
    assert.match(child.output, /CAP_NET_ADMIN \(HEDDLE_INTERCEPT_DENIED\)\nhint: run it with sudo/);
  });
});
