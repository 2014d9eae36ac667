// The rules that `heddle intercept apply` writes, judged by where connections end, with both back ends and both families.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Address, type Pair, createPair, skipInterception } from './support/network-namespace.ts';
import { type Target, listenIn, probeFrom } from './support/order.ts';

const skip = skipInterception();

/** Somebody who connects: an application, or the proxy by its user or its group. */
const application = {};
const proxyUser = { uid: 1337 };
const proxyGroup = { gid: 1337 };

interface Expectation {
  readonly what: string;
  readonly flags: readonly string[];
  /** In the application's machine, or from the world towards it. */
  readonly from?: 'world';
  readonly who?: { readonly uid?: number; readonly gid?: number };
  readonly to: Target;
  /** Who greets: `outbound`, `inbound`, `dns` (the proxy's listeners), `app` or `world`. */
  readonly greets: string;
}

const to = (host: string, port: number): Target => ({ host, port });
const query = (host: string, port = 53): Target => ({ host, port, udp: true });

/** Cases of one set of flags share a set of rules. */
function expectations(v6: boolean): readonly Expectation[] {
  const of = (v4Address: string, v6Address: string): string => (v6 ? v6Address : v4Address);
  const service = of(Address.service, Address.service6);
  const world = of(Address.world, Address.world6);
  const excluded = of(Address.excluded, Address.excluded6);
  const app = of(Address.app, Address.app6);
  const local = of('127.0.0.1', '::1');
  const plain: readonly string[] = [];
  const ranges = ['--exclude-outbound-ip-ranges', of('10.88.0.0/16', 'fd88::/16')];
  const onlyRange = [
    '--include-outbound-ip-ranges',
    `${excluded},192.0.2.1`,
    '--include-outbound-ports',
    '81',
  ];
  const ports = ['--exclude-outbound-ports', '81,82', '--exclude-inbound-ports', '81'];
  const inboundList = ['--include-inbound-ports', '81'];
  const noInbound = ['--include-inbound-ports', ''];
  const interfaces = ['--exclude-interfaces', 'eth0'];
  const dns = ['--capture-all-dns'];
  return [
    {
      what: 'an application reaches the proxy',
      flags: plain,
      to: to(service, 80),
      greets: `outbound ${service} 80`,
    },
    { what: 'and by any port', flags: plain, to: to(service, 5432), greets: `outbound ${service} 5432` },
    {
      what: 'the proxy by its user does not',
      flags: plain,
      who: proxyUser,
      to: to(service, 80),
      greets: 'world',
    },
    { what: 'nor by its group', flags: plain, who: proxyGroup, to: to(service, 80), greets: 'world' },
    { what: 'another user does', flags: plain, who: { uid: 1338 }, to: to(service, 80), greets: 'outbound' },
    { what: 'loopback is left alone', flags: plain, to: to(local, 80), greets: 'app' },
    { what: 'so is the machine’s own address', flags: plain, to: to(app, 80), greets: 'app' },
    {
      what: 'the proxy calls its own machine as others do',
      flags: plain,
      who: proxyUser,
      to: to(app, 80),
      greets: `inbound ${app} 80`,
    },
    {
      what: 'the application on loopback it reaches',
      flags: plain,
      who: proxyUser,
      to: to(local, 80),
      greets: 'app',
    },
    { what: 'its own ports too', flags: plain, who: proxyUser, to: to(app, 15_008), greets: 'app' },
    {
      what: 'what comes in reaches the proxy',
      flags: plain,
      from: 'world',
      to: to(app, 80),
      greets: `inbound ${app} 80`,
    },
    { what: 'SSH is left alone', flags: plain, from: 'world', to: to(app, 22), greets: 'app' },
    { what: 'and the tunnel port', flags: plain, from: 'world', to: to(app, 15_008), greets: 'app' },
    { what: 'DNS is not captured unasked', flags: plain, to: query(world), greets: 'world' },
    { what: 'an excluded range is passed by', flags: ranges, to: to(excluded, 80), greets: 'world' },
    { what: 'others are not', flags: ranges, to: to(service, 80), greets: 'outbound' },
    { what: 'only the included address', flags: onlyRange, to: to(excluded, 80), greets: 'outbound' },
    { what: 'no other', flags: onlyRange, to: to(service, 80), greets: 'world' },
    { what: 'but the included port there', flags: onlyRange, to: to(service, 81), greets: 'outbound' },
    { what: 'an excluded port is passed by', flags: ports, to: to(service, 81), greets: 'world' },
    { what: 'and each of them', flags: ports, to: to(service, 82), greets: 'world' },
    { what: 'others are not passed by', flags: ports, to: to(service, 80), greets: 'outbound' },
    { what: 'an excluded inbound port', flags: ports, from: 'world', to: to(app, 81), greets: 'app' },
    { what: 'and its neighbour', flags: ports, from: 'world', to: to(app, 80), greets: 'inbound' },
    {
      what: 'an included inbound port',
      flags: inboundList,
      from: 'world',
      to: to(app, 81),
      greets: 'inbound',
    },
    { what: 'one that is not included', flags: inboundList, from: 'world', to: to(app, 80), greets: 'app' },
    { what: 'a self-call to it', flags: inboundList, who: proxyUser, to: to(app, 80), greets: 'app' },
    { what: 'no inbound at all', flags: noInbound, from: 'world', to: to(app, 80), greets: 'app' },
    { what: 'outbound all the same', flags: noInbound, to: to(service, 80), greets: 'outbound' },
    { what: 'an excluded interface, out', flags: interfaces, to: to(service, 80), greets: 'world' },
    { what: 'an excluded interface, in', flags: interfaces, from: 'world', to: to(app, 80), greets: 'app' },
    { what: 'DNS over UDP', flags: dns, to: query(world), greets: 'dns' },
    { what: 'DNS over TCP', flags: dns, to: to(service, 53), greets: `dns ${service} 53` },
    { what: 'a resolver on loopback', flags: dns, to: query(local), greets: 'dns' },
    { what: 'the proxy’s own queries', flags: dns, who: proxyUser, to: query(world), greets: 'world' },
    { what: 'and over TCP', flags: dns, who: proxyUser, to: to(service, 53), greets: 'world' },
    { what: 'UDP of others', flags: dns, to: query(world, 5353), greets: 'world' },
  ];
}

/** The proxy's listeners and an application in one machine, servers in the other. */
async function openMachines(stack: AsyncDisposableStack): Promise<Pair> {
  const pair = stack.use(await createPair());
  const both = (...numbers: readonly number[]): Target[] =>
    numbers.flatMap((port) => [to('0.0.0.0', port), to('::', port)]);
  // On loopback's own addresses: answers over UDP have to come from where the rule has sent the queries.
  const loopback = [to('127.0.0.1', 15_053), to('::1', 15_053)];
  await Promise.all([
    listenIn(stack, pair.app, { label: 'outbound', redirected: true, tcp: both(15_001), udp: [] }),
    listenIn(stack, pair.app, { label: 'inbound', redirected: true, tcp: both(15_006), udp: [] }),
    listenIn(stack, pair.app, { label: 'dns', redirected: true, tcp: loopback, udp: loopback }),
    listenIn(stack, pair.app, {
      label: 'app',
      redirected: false,
      tcp: both(22, 80, 81, 15_008),
      udp: both(53),
    }),
    listenIn(stack, pair.world, {
      label: 'world',
      redirected: false,
      tcp: both(53, 80, 81, 82, 5432),
      udp: both(53, 5353),
    }),
  ]);
  return pair;
}

async function judge(pair: Pair, backend: string, cases: readonly Expectation[]): Promise<void> {
  const { flags } = cases[0]!;
  const applied = await pair.app.heddle('intercept', 'apply', '--backend', backend, ...flags);
  assert.equal(applied.exit?.code, 0, applied.output);
  const groups = Map.groupBy(cases, ({ from, who = application }) => JSON.stringify([from, who]));
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const { from, who = application } = group[0]!;
      const order = { ...who, targets: group.map((one) => one.to) };
      const answers = await probeFrom(from === 'world' ? pair.world : pair.app, order);
      for (const [index, { what, greets }] of group.entries())
        assert.ok(
          answers[index]!.startsWith(greets),
          `${flags.join(' ')}: ${what}: ${answers[index]} greets`,
        );
    }),
  );
}

describe('interception', { skip }, () => {
  for (const backend of ['iptables', 'nft']) {
    for (const v6 of [false, true]) {
      test(`leads connections as the flags say, ${backend}, ${v6 ? 'IPv6' : 'IPv4'}`, async () => {
        await using stack = new AsyncDisposableStack();
        const pair = await openMachines(stack);
        const sets = Map.groupBy(expectations(v6), ({ flags }) => flags.join(' '));
        for (const cases of sets.values()) await judge(pair, backend, cases);
      });
    }
  }
});
