import { buildRouteMap } from '@stricli/core';
import { parseCount, parseDurationMs, parseName } from '../flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand, type HeddleContext } from './define-command.ts';

export interface TokenCreateFlags extends ConnectionFlags {
  readonly kind: 'join' | 'dashboard' | 'api';
  readonly role?: 'viewer' | 'operator' | 'admin';
  readonly subject?: string;
  readonly uses?: number;
  readonly ttl?: number;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

export interface TokenListFlags extends ConnectionFlags {
  readonly output: 'table' | 'yaml' | 'json';
}

const createCommand = defineCommand<TokenCreateFlags>(
  {
    brief: 'Make a token that admits a workload, or a person to dashboard and API',
    usage: ['[FLAGS]'],
    text: [
      'A join token admits a workload on another machine to the mesh and tells it which control plane to believe. ' +
        'Tokens for the dashboard and the API are those of a person or a program, whose name stands in heddle history, and ' +
        'have a role: viewer looks at everything, operator changes the configuration too, admin makes tokens too.',
      'A token is shown once; only its hash is kept. Standard output holds nothing else, so it can be piped to a file.',
    ],
    examples: [
      ['For one workload, within the hour', 'heddle token create > token'],
      ['For ten instances of reviews', 'heddle token create --uses 10 --service-account reviews'],
      ['For a look at the dashboard', 'heddle token create --kind dashboard'],
      [
        'For a program that changes what is in one namespace',
        'heddle token create --kind api --subject deployer --role operator -n shop',
      ],
    ],
  },
  {
    flags: {
      kind: {
        kind: 'enum',
        values: ['join', 'dashboard', 'api'],
        default: 'join',
        brief: 'what it admits to: the mesh, the dashboard, the API',
      },
      role: {
        kind: 'enum',
        values: ['viewer', 'operator', 'admin'],
        optional: true,
        brief: 'of dashboard and api: what it allows; viewer unless told otherwise',
      },
      subject: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: 'whose it is, for heddle history; for dashboard and api',
      },
      uses: {
        kind: 'parsed',
        parse: parseCount,
        optional: true,
        placeholder: 'N',
        brief: 'how often a join token may be used; once unless told otherwise',
      },
      ttl: {
        kind: 'parsed',
        parse: parseDurationMs,
        optional: true,
        placeholder: 'TIME',
        brief: 'how long it is valid: 1h for join tokens, without end for others',
      },
      namespace: {
        kind: 'parsed',
        parse: parseName,
        optional: true,
        placeholder: 'NS',
        brief: 'only for workloads, or for what is configured, in this namespace',
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

const listCommand = defineCommand<TokenListFlags>(
  {
    brief: 'List tokens: whose, for what, until when',
    usage: ['[FLAGS]'],
    text: ['Shows all tokens that were made and not revoked, never their secrets. For admins.'],
    examples: [['All tokens', 'heddle token list']],
  },
  {
    flags: {
      output: {
        kind: 'enum',
        values: ['table', 'yaml', 'json'],
        default: 'table',
        brief: 'how it is printed',
      },
      ...connectionFlags,
    },
    aliases: { o: 'output' },
  },
  async () => (await import('../token/list-tokens.ts')).listTokens,
);

const revokeCommand = defineCommand<ConnectionFlags, readonly string[]>(
  {
    brief: 'Revoke tokens: they admit to nothing from now on',
    usage: ['ID... [FLAGS]'],
    text: [
      'Takes effect at once: sessions of the dashboard and streams that a token has opened end. Workloads that have joined ' +
        'with a join token stay; they have certificates of their own.',
    ],
    examples: [
      ['The token that heddle token list shows as 3f1c5a0b9d2e', 'heddle token revoke 3f1c5a0b9d2e'],
    ],
  },
  {
    flags: connectionFlags,
    positional: {
      kind: 'array',
      parameter: { parse: String, brief: 'as heddle token list shows them', placeholder: 'ID' },
      minimum: 1,
    },
  },
  async () => (await import('../token/revoke-tokens.ts')).revokeTokens,
);

export const tokenCommands = buildRouteMap<'create' | 'list' | 'revoke', HeddleContext>({
  routes: { create: createCommand, list: listCommand, revoke: revokeCommand },
  docs: { brief: 'Make, list and revoke tokens for workloads, people and programs' },
});
