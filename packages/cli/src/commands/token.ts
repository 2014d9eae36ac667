import { buildRouteMap } from '@stricli/core';
import { parseCount, parseDurationMs, parseName } from '../flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand, type HeddleContext } from './define-command.ts';

export interface TokenCreateFlags extends ConnectionFlags {
  readonly kind: 'join' | 'dashboard' | 'admin';
  readonly subject?: string;
  readonly uses: number;
  readonly ttl: number;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

const createCommand = defineCommand<TokenCreateFlags>(
  {
    brief: 'Make a token that admits a workload, or a person to the dashboard',
    usage: ['[FLAGS]'],
    text: [
      'A join token admits a workload on another machine to the mesh and tells it which control plane to believe. ' +
        'It is shown once; only its hash is kept. Standard output holds nothing else, so it can be piped to a file.',
    ],
    examples: [
      ['For one workload, within the hour', 'heddle token create > token'],
      ['For ten instances of reviews', 'heddle token create --uses 10 --service-account reviews'],
      ['For the dashboard', 'heddle token create --kind dashboard'],
      ['For a person or a program that uses the API', 'heddle token create --kind admin --subject alice'],
    ],
  },
  {
    flags: {
      kind: {
        kind: 'enum',
        values: ['join', 'dashboard', 'admin'],
        default: 'join',
        brief: 'what it admits to: the mesh, the dashboard, the API',
      },
      subject: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: 'whose it is, for heddle history; for dashboard and admin',
      },
      uses: {
        kind: 'parsed',
        parse: parseCount,
        default: '1',
        placeholder: 'N',
        brief: 'how often a join token may be used',
      },
      ttl: {
        kind: 'parsed',
        parse: parseDurationMs,
        default: '1h',
        placeholder: 'TIME',
        brief: 'how long a join token is valid',
      },
      namespace: {
        kind: 'parsed',
        parse: parseName,
        optional: true,
        placeholder: 'NS',
        brief: 'only for workloads of this namespace',
      },
      serviceAccount: {
        kind: 'parsed',
        parse: parseName,
        optional: true,
        placeholder: 'SA',
        brief: 'only for this service account, and the service of that name',
      },
      ...connectionFlags,
    },
    aliases: { n: 'namespace' },
  },
  async () => (await import('../token/create-token.ts')).createToken,
);

export const tokenCommands = buildRouteMap<'create', HeddleContext>({
  routes: { create: createCommand },
  docs: { brief: 'Make tokens for other machines and for the dashboard' },
});
