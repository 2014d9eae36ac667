// Says what to intercept as rules. Pure; the layout follows Istio's, whose reasons are given beside the rules.
import { isIPv6 } from 'node:net';
import {
  type InterceptionOptions,
  type Selection,
  passthroughAddress,
  proxyOwnPorts,
  sshPort,
} from './interception-options.ts';
import {
  type Chain,
  type Family,
  type Match,
  type Protocol,
  type Rule,
  type Verdict,
  chainPrefix,
} from './rule.ts';

const Name = {
  output: `${chainPrefix}OUTPUT`,
  selfCall: `${chainPrefix}SELF`,
  inbound: `${chainPrefix}INBOUND`,
  redirectOutbound: `${chainPrefix}REDIRECT`,
  redirectInbound: `${chainPrefix}IN_REDIRECT`,
  transparentInbound: `${chainPrefix}TPROXY`,
  markOutput: `${chainPrefix}MARK`,
} as const;

const loopback: Readonly<Record<Family, string>> = { ipv4: '127.0.0.0/8', ipv6: '::1/128' };

const passthroughSource: Readonly<Record<Family, string>> = {
  ipv4: `${passthroughAddress.ipv4}/32`,
  ipv6: `${passthroughAddress.ipv6}/128`,
};

const everything: readonly Match[] = [];
const toReturn: Verdict = { do: 'return' };
const throughLoopback: Match = { on: 'output', networkInterface: 'lo' };
const tcp: Match = { on: 'protocol', protocol: 'tcp' };

function rule(verdict: Verdict, ...matches: readonly Match[]): Rule {
  return { matches, verdict };
}

function port(number: number, protocol: Protocol = 'tcp'): Match {
  return { on: 'port', protocol, port: number };
}

/** True where `network`, an address or a CIDR, is of this family. */
function isOf(family: Family, network: string): boolean {
  return isIPv6(network.split('/')[0]!) === (family === 'ipv6');
}

/** One condition list for everything, or one for each that is listed. */
function each<T>(selection: Selection<T>, match: (one: T) => Match): readonly (readonly Match[])[] {
  return selection === '*' ? [everything] : selection.map((one) => [match(one)]);
}

/** The chains that intercept as `options` say; none names the others' family. */
export function buildRules(options: InterceptionOptions, family: Family): readonly Chain[] {
  const chains: Chain[] = [
    {
      table: 'nat',
      name: Name.redirectOutbound,
      hook: null,
      rules: [rule({ do: 'redirect', port: options.outboundPort }, tcp)],
    },
  ];
  if (options.mode === 'redirect') {
    const redirect: Verdict = { do: 'redirect', port: options.inboundPort };
    chains.push(
      { table: 'nat', name: Name.redirectInbound, hook: null, rules: [rule(redirect, tcp)] },
      { table: 'nat', name: Name.selfCall, hook: null, rules: selfCallRules(options) },
      { table: 'nat', name: Name.inbound, hook: 'PREROUTING', rules: inboundRules(options) },
    );
  } else {
    chains.push(
      { table: 'mangle', name: Name.transparentInbound, hook: null, rules: [tproxyRule(options)] },
      { table: 'mangle', name: Name.inbound, hook: 'PREROUTING', rules: transparentRules(options, family) },
      { table: 'mangle', name: Name.markOutput, hook: 'OUTPUT', rules: markRules(options, family) },
    );
  }
  chains.push({ table: 'nat', name: Name.output, hook: 'OUTPUT', rules: outputRules(options, family) });
  return chains;
}

/** The second mark: packets by which the proxy's machine calls itself, so that PREROUTING can tell them from others on `lo`. */
function selfCallMark(options: InterceptionOptions): number {
  return options.tproxyMark + 1;
}

/** What the user or group of the proxy sends, one condition for each of them. */
function owners(options: InterceptionOptions): readonly Match[] {
  return [
    ...options.proxyUids.map((id): Match => ({ on: 'user', id })),
    ...options.proxyGids.map((id): Match => ({ on: 'group', id })),
  ];
}

/** Ports on which nothing is intercepted that comes in. */
function uncapturedPorts(options: InterceptionOptions): readonly number[] {
  return [...new Set([...proxyOwnPorts, sshPort, ...options.excludeInboundPorts])].filter(
    (one) => options.includeInboundPorts === '*' || !options.includeInboundPorts.includes(one),
  );
}

/** Where what comes in goes: to `chain`, for all ports or those that are listed. */
function captureInbound(options: InterceptionOptions, chain: string, ...matches: readonly Match[]): Rule[] {
  const { includeInboundPorts } = options;
  const rules: Rule[] = [];
  if (includeInboundPorts === '*') {
    for (const one of uncapturedPorts(options)) rules.push(rule(toReturn, ...matches, port(one)));
  }
  for (const selected of each(includeInboundPorts, (one) => port(one)))
    rules.push(rule({ do: 'jump', chain }, ...matches, ...(selected.length === 0 ? [tcp] : selected)));
  return rules;
}

function fromExcludedInterfaces(options: InterceptionOptions): readonly Rule[] {
  return options.excludeInterfaces.map((one) => rule(toReturn, { on: 'input', networkInterface: one }));
}

/** REDIRECT: what comes from elsewhere to an address of this machine; what is only passing is none of our business. */
function inboundRules(options: InterceptionOptions): readonly Rule[] {
  return [
    ...fromExcludedInterfaces(options),
    ...captureInbound(options, Name.redirectInbound, { on: 'local-destination' }),
  ];
}

function tproxyRule({ inboundPort, tproxyMark }: InterceptionOptions): Rule {
  return rule({ do: 'tproxy', port: inboundPort, mark: tproxyMark }, tcp);
}

function transparentRules(options: InterceptionOptions, family: Family): readonly Rule[] {
  const { tproxyMark } = options;
  const fromLoopback: Match = { on: 'input', networkInterface: 'lo' };
  const own: Match = { on: 'mark', mark: tproxyMark };
  return [
    ...fromExcludedInterfaces(options),
    // What the proxy sends in a caller's name: the connection is marked, so that the answers find their way back.
    rule({ do: 'save-mark' }, tcp, own),
    rule(toReturn, tcp, own),
    rule(toReturn, tcp, fromLoopback, { on: 'source', network: passthroughSource[family] }),
    rule(toReturn, fromLoopback, { on: 'mark', mark: selfCallMark(options), isNot: true }),
    // TPROXY drops packets of connections that others hold.
    rule(toReturn, { on: 'established' }),
    ...captureInbound(options, Name.transparentInbound, { on: 'local-destination' }),
  ];
}

function markRules(options: InterceptionOptions, family: Family): readonly Rule[] {
  const { tproxyMark } = options;
  const own: Match = { on: 'mark', mark: tproxyMark };
  const elsewhere: Match = { on: 'destination', network: loopback[family], isNot: true };
  return [
    rule(toReturn, own),
    // An answer of the application to a caller in whose name the proxy has called: to the proxy, not to the caller.
    rule({ do: 'restore-mark' }, tcp, { on: 'connection-mark', mark: tproxyMark }),
    rule(toReturn, own),
    rule(toReturn, throughLoopback, { on: 'source', network: passthroughSource[family] }),
    ...owners(options).map((owner) =>
      rule({ do: 'set-mark', mark: selfCallMark(options) }, tcp, throughLoopback, elsewhere, owner),
    ),
  ];
}

/** What programs of this machine send. The first rule that applies decides. */
function outputRules(options: InterceptionOptions, family: Family): readonly Rule[] {
  const { dns } = options;
  const elsewhere: Match = { on: 'destination', network: loopback[family], isNot: true };
  const rules: Rule[] = options.excludeInterfaces.map((one) =>
    rule(toReturn, { on: 'output', networkInterface: one }),
  );
  rules.push(rule(toReturn, throughLoopback, { on: 'source', network: passthroughSource[family] }));
  if (options.mode === 'tproxy') rules.push(rule(toReturn, { on: 'mark', mark: options.tproxyMark }));
  for (const owner of owners(options)) {
    const selfCall: Verdict = { do: 'jump', chain: Name.selfCall };
    if (options.mode === 'redirect') rules.push(rule(selfCall, throughLoopback, elsewhere, owner));
    rules.push(rule(toReturn, owner));
  }
  if (dns !== null) {
    const servers = dns.servers === '*' ? '*' : dns.servers.filter((one) => isOf(family, one));
    for (const protocol of ['udp', 'tcp'] as const) {
      for (const server of each(servers, (network): Match => ({ on: 'destination', network })))
        rules.push(rule({ do: 'redirect', port: dns.port }, ...server, port(53, protocol)));
    }
  }
  // What the machine's programs say to each other is theirs.
  rules.push(
    rule(toReturn, throughLoopback),
    rule(toReturn, { on: 'destination', network: loopback[family] }),
  );
  for (const network of options.excludeOutboundIpRanges.filter((one) => isOf(family, one)))
    rules.push(rule(toReturn, { on: 'destination', network }));
  for (const one of options.excludeOutboundPorts) rules.push(rule(toReturn, port(one)));
  const toProxy: Verdict = { do: 'jump', chain: Name.redirectOutbound };
  for (const one of options.includeOutboundPorts) rules.push(rule(toProxy, port(one)));
  const ranges = options.includeOutboundIpRanges;
  const included = ranges === '*' ? '*' : ranges.filter((one) => isOf(family, one));
  for (const selected of each(included, (network): Match => ({ on: 'destination', network })))
    rules.push(rule(toProxy, tcp, ...selected));
  return rules;
}

/**
 * An application that calls its own service: the proxy chose this very machine, and the call goes in through the inbound
 * listener as any other's does.
 */
function selfCallRules(options: InterceptionOptions): readonly Rule[] {
  // A resolver of this machine may listen on an address of its own.
  const toResolver = options.dns === null ? [] : [rule(toReturn, port(53))];
  return [...toResolver, ...captureInbound(options, Name.redirectInbound)];
}
