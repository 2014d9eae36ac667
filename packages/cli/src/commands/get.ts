import { parseName } from '../flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand } from './define-command.ts';

export const outputFormats = ['table', 'wide', 'yaml', 'json'] as const;

export interface GetFlags extends ConnectionFlags {
  readonly namespace: string;
  readonly allNamespaces: boolean;
  readonly output: (typeof outputFormats)[number];
}

export const getCommand = defineCommand<GetFlags, readonly [string, string | undefined]>(
  {
    brief: 'Show services, endpoints, proxies or configuration',
    usage: ['KIND [NAME] [FLAGS]'],
    text: [
      'Kinds: services (svc), endpoints (ep), proxies (px), virtualservices (vs), destinationrules (dr). Rates and latencies are those of the last ten seconds, as the sidecars of the ' +
        'called service measured them.',
    ],
    examples: [
      ['Services with their traffic', 'heddle get services'],
      ['Every instance, of all namespaces', 'heddle get endpoints -A'],
      ['Whether each proxy has its configuration', 'heddle get proxies'],
      ['One object with its status', 'heddle get vs reviews -o yaml'],
    ],
  },
  {
    flags: {
      namespace: {
        kind: 'parsed',
        parse: parseName,
        default: 'default',
        placeholder: 'NS',
        brief: 'of this namespace',
      },
      allNamespaces: { kind: 'boolean', default: false, withNegated: false, brief: 'of all namespaces' },
      output: { kind: 'enum', values: outputFormats, default: 'table', brief: 'how it is printed' },
      ...connectionFlags,
    },
    aliases: { n: 'namespace', A: 'allNamespaces', o: 'output' },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, brief: 'what to show', placeholder: 'KIND' },
        { parse: String, brief: 'only this one', placeholder: 'NAME', optional: true },
      ],
    },
  },
  async () => (await import('../get/get.ts')).get,
);
