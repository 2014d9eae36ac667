import { buildRouteMap } from '@stricli/core';
import { parsePort } from '../flags.ts';
import type { Selection } from '../intercept/interception-options.ts';
import {
  parseInterfaces,
  parseMark,
  parsePortSelection,
  parsePorts,
  parseRangeSelection,
  parseRanges,
  parseRouteTable,
} from '../intercept/parse-options.ts';
import { defineCommand, type HeddleContext } from './define-command.ts';

export interface InterceptApplyFlags {
  readonly mode: 'redirect' | 'tproxy';
  readonly proxyUid?: readonly string[];
  readonly proxyGid?: readonly string[];
  readonly outboundPort: number;
  readonly inboundPort: number;
  readonly includeOutboundIpRanges: Selection<string>;
  readonly excludeOutboundIpRanges: readonly string[];
  readonly includeOutboundPorts: readonly number[];
  readonly excludeOutboundPorts: readonly number[];
  readonly includeInboundPorts: Selection<number>;
  readonly excludeInboundPorts: readonly number[];
  readonly excludeInterfaces: readonly string[];
  readonly redirectDns: boolean;
  readonly captureAllDns: boolean;
  readonly dnsPort: number;
  readonly tproxyMark: number;
  readonly tproxyRouteTable: number;
  readonly ipv6: 'auto' | 'on' | 'off';
  readonly backend: 'auto' | 'iptables' | 'nft';
  readonly dryRun: boolean;
}

const applyCommand = defineCommand<InterceptApplyFlags>(
  {
    brief: "Lead this machine's connections through the proxy",
    usage: ['[FLAGS]'],
    text: [
      'Writes rules of the packet filter for the network namespace it runs in: TCP connections that programs make go to ' +
        "the proxy's outbound listener, those from elsewhere to its inbound listener, and the programs need know nothing. " +
        "What the proxy's own user and group send is left alone, and so are loopback connections and SSH.",
      'Needs root (CAP_NET_ADMIN). Applying twice is applying once; a failure leaves everything as it was. The proxy has ' +
        'to listen, or nothing can connect: heddle intercept remove ends it.',
      'The options are those of Istio’s annotations traffic.sidecar.istio.io/…, with the same defaults.',
    ],
    examples: [
      ['Look first', 'heddle intercept apply --dry-run'],
      ['Everything but a database', 'heddle intercept apply --exclude-outbound-ports 5432'],
      [
        'Names of the mesh too',
        'heddle intercept apply --redirect-dns --include-outbound-ip-ranges 10.0.0.0/8',
      ],
      ['Keep the callers’ addresses', 'heddle intercept apply --mode tproxy'],
    ],
  },
  {
    flags: {
      mode: {
        kind: 'enum',
        values: ['redirect', 'tproxy'],
        default: 'redirect',
        brief: 'how inbound connections reach the proxy; tproxy keeps addresses',
      },
      proxyUid: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'USER',
        brief: 'the user of the proxy, name or number; may be repeated (default 1337)',
      },
      proxyGid: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'GROUP',
        brief: 'the group of the proxy, name or number; may be repeated (default 1337)',
      },
      outboundPort: {
        kind: 'parsed',
        parse: parsePort,
        default: '15001',
        placeholder: 'PORT',
        brief: "the proxy's listener for what programs send",
      },
      inboundPort: {
        kind: 'parsed',
        parse: parsePort,
        default: '15006',
        placeholder: 'PORT',
        brief: "the proxy's listener for what comes in",
      },
      includeOutboundIpRanges: {
        kind: 'parsed',
        parse: parseRangeSelection,
        default: '*',
        placeholder: 'CIDR,…',
        brief: 'only connections to these addresses; * for all',
      },
      excludeOutboundIpRanges: {
        kind: 'parsed',
        parse: parseRanges,
        default: '',
        placeholder: 'CIDR,…',
        brief: 'no connections to these addresses',
      },
      includeOutboundPorts: {
        kind: 'parsed',
        parse: parsePorts,
        default: '',
        placeholder: 'PORT,…',
        brief: 'connections to these ports, whatever the address',
      },
      excludeOutboundPorts: {
        kind: 'parsed',
        parse: parsePorts,
        default: '',
        placeholder: 'PORT,…',
        brief: 'no connections to these ports',
      },
      includeInboundPorts: {
        kind: 'parsed',
        parse: parsePortSelection,
        default: '*',
        placeholder: 'PORT,…',
        brief: "only connections to these ports; * for all but SSH's and the proxy's; '' for none",
      },
      excludeInboundPorts: {
        kind: 'parsed',
        parse: parsePorts,
        default: '',
        placeholder: 'PORT,…',
        brief: 'no connections to these ports, where all are included',
      },
      excludeInterfaces: {
        kind: 'parsed',
        parse: parseInterfaces,
        default: '',
        placeholder: 'NAME,…',
        brief: 'nothing through these network interfaces',
      },
      redirectDns: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'also DNS queries to the name servers of /etc/resolv.conf',
      },
      captureAllDns: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'also DNS queries, to whichever server',
      },
      dnsPort: {
        kind: 'parsed',
        parse: parsePort,
        default: '15053',
        placeholder: 'PORT',
        brief: "the proxy's DNS listener",
      },
      tproxyMark: {
        kind: 'parsed',
        parse: parseMark,
        default: '1337',
        placeholder: 'MARK',
        brief: 'mark of packets sent in a caller’s name; the next number is used too',
      },
      tproxyRouteTable: {
        kind: 'parsed',
        parse: parseRouteTable,
        default: '133',
        placeholder: 'TABLE',
        brief: 'routing table for the answers to them',
      },
      ipv6: { kind: 'enum', values: ['auto', 'on', 'off'], default: 'auto', brief: 'rules for IPv6 too' },
      backend: {
        kind: 'enum',
        values: ['auto', 'iptables', 'nft'],
        default: 'auto',
        brief: 'the program that writes the rules; auto prefers iptables',
      },
      dryRun: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'print what would be written, and write nothing',
      },
    },
  },
  async () => (await import('../intercept/intercept.ts')).applyInterception,
);

const removeCommand = defineCommand(
  {
    brief: 'Undo heddle intercept apply',
    usage: [''],
    text: [
      'Removes the rules, chains, tables and routes that apply has written, with whichever back end, and nothing else. ' +
        'Connections that run through the proxy stay there until they end. Where nothing is intercepted it does nothing.',
    ],
    examples: [['Have it as before', 'heddle intercept remove']],
  },
  { flags: {} },
  async () => (await import('../intercept/intercept.ts')).removeInterception,
);

const showCommand = defineCommand(
  {
    brief: 'Print the rules that are in force',
    usage: [''],
    text: ['Prints what heddle intercept apply has written, as iptables-save, nft and ip would.'],
    examples: [['See what is intercepted', 'heddle intercept show']],
  },
  { flags: {} },
  async () => (await import('../intercept/intercept.ts')).showInterception,
);

export const interceptCommands = buildRouteMap<'apply' | 'remove' | 'show', HeddleContext>({
  routes: { apply: applyCommand, remove: removeCommand, show: showCommand },
  docs: { brief: "Lead a machine's connections through the proxy, without its programs' help" },
});
