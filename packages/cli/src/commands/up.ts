import { parseIpAddress, parseName, parsePortOrZero } from '../flags.ts';
import { parseDatastore, type DatastoreChoice } from '../datastore/parse-datastore.ts';
import { defineCommand } from './define-command.ts';
import { type OidcFlags, oidcFlags } from './oidc-flags.ts';

export interface UpFlags extends OidcFlags {
  readonly store: string;
  readonly bind: string;
  readonly apiPort: number;
  readonly xdsPort: number;
  readonly joinPort: number;
  readonly trustDomain: string;
  readonly datastore: DatastoreChoice;
  readonly datastoreCaFile?: string;
  readonly datastoreCertFile?: string;
  readonly datastoreKeyFile?: string;
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
      'Configuration can be kept elsewhere: --datastore dir:PATH follows the files of a directory, such as a checkout of ' +
        'git; etcd://HOST:PORT,HOST:PORT/PREFIX keeps it in etcd (etcds:// with TLS); memory keeps nothing.',
      'Ends on Ctrl-C or SIGTERM. Applications and their sidecars go on serving meanwhile.',
    ],
    examples: [
      ['Start a mesh in this directory', 'heddle up'],
      ['Let applications on other machines join', 'heddle up --bind 0.0.0.0'],
      ['Take the configuration from files', 'heddle up --datastore dir:./mesh'],
      [
        'Let people in whom an OpenID Connect issuer knows',
        'heddle up --oidc-issuer https://id.it --oidc-audience m --oidc-role admin=sre',
      ],
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
      datastore: {
        kind: 'parsed',
        parse: parseDatastore,
        default: 'sqlite',
        placeholder: 'WHERE',
        brief: 'where the configuration is kept: sqlite, memory, dir:PATH, etcd://HOST:PORT',
      },
      datastoreCaFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'for etcds://: the roots of its certificates, PEM',
      },
      datastoreCertFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'for etcds://: our certificate, PEM',
      },
      datastoreKeyFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: "for etcds://: our certificate's key, PEM",
      },
      trustDomain: {
        kind: 'parsed',
        parse: parseTrustDomain,
        default: 'cluster.local',
        placeholder: 'NAME',
        brief: 'first part of every identity; fixed when the store is made',
      },
      ...oidcFlags,
    },
  },
  async () => (await import('../up/up.ts')).up,
);
