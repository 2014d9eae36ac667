import { parseIpAddress, parseName, parsePortOrZero } from '../flags.ts';
import { defineCommand } from './define-command.ts';

export interface UpFlags {
  readonly store: string;
  readonly bind: string;
  readonly apiPort: number;
  readonly xdsPort: number;
  readonly joinPort: number;
  readonly trustDomain: string;
}

function parseTrustDomain(input: string): string {
  for (const label of input.split('.')) parseName(label);
  return input;
}

export const upCommand = defineCommand<UpFlags>(
  {
    brief: 'Run the control plane: configuration, certificates, dashboard',
    usage: ['[FLAGS]'],
    text: [
      'Keeps the mesh in a directory, ./.heddle if nothing else is said: SQLite databases, the certificate ' +
        'authority, tokens; readable by its owner only. Started again in the same directory, it goes on where it was.',
      'The dashboard and the API listen on loopback and want a token. Applications on this machine join by themselves ' +
        '(heddle run); for those on others, --bind opens the ports for joining and configuration, and the command printed ' +
        'at the start admits one.',
      'Ends on Ctrl-C or SIGTERM. Applications and their sidecars go on serving meanwhile.',
    ],
    examples: [
      ['Start a mesh in this directory', 'heddle up'],
      ['Let applications on other machines join', 'heddle up --bind 0.0.0.0'],
    ],
  },
  {
    flags: {
      store: {
        kind: 'parsed',
        parse: String,
        default: '.heddle',
        placeholder: 'DIR',
        brief: 'where the mesh is kept',
      },
      bind: {
        kind: 'parsed',
        parse: parseIpAddress,
        default: '127.0.0.1',
        placeholder: 'IP',
        brief: 'address for joining and configuration (the API stays on loopback)',
      },
      apiPort: {
        kind: 'parsed',
        parse: parsePortOrZero,
        default: '15080',
        placeholder: 'PORT',
        brief: 'dashboard and API; 0 for any',
      },
      xdsPort: {
        kind: 'parsed',
        parse: parsePortOrZero,
        default: '15012',
        placeholder: 'PORT',
        brief: 'configuration for sidecars (xDS over mTLS)',
      },
      joinPort: {
        kind: 'parsed',
        parse: parsePortOrZero,
        default: '15011',
        placeholder: 'PORT',
        brief: 'where sidecars join',
      },
      trustDomain: {
        kind: 'parsed',
        parse: parseTrustDomain,
        default: 'cluster.local',
        placeholder: 'NAME',
        brief: 'first part of every identity; fixed when the store is made',
      },
    },
  },
  async () => (await import('../up/up.ts')).up,
);
