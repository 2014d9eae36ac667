import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand } from './define-command.ts';
import { manifestFlags, optionalFilename } from './manifest-flags.ts';

export interface DiffFlags extends ConnectionFlags {
  readonly filename?: readonly string[];
  readonly namespace: string;
  readonly recursive: boolean;
  readonly delete: boolean;
  readonly details: boolean;
  readonly output: 'text' | 'json';
}

export const diffCommand = defineCommand<DiffFlags, readonly string[]>(
  {
    brief: 'Say what a change of the configuration would do, without doing it',
    usage: ['-f FILE|DIR|URL|- [FLAGS]', '--delete (-f FILE | KIND NAME...) [FLAGS]'],
    text: [
      'Compiles the mesh that runs with what the files say in place of what is stored, and prints for each object which ' +
        'of its fields differ, with the line in the file, and which listeners, routes, clusters and endpoints of which ' +
        'proxies would be new, different or gone. Nothing is stored, and no proxy is told. With --delete, the same ' +
        'for deleting.',
      'An object is looked at as if those before it were applied already.',
    ],
    examples: [
      ['Before applying', 'heddle diff -f reviews-80-20.yaml'],
      ['With what changes inside each resource', 'heddle diff -f reviews-80-20.yaml --details'],
      ['What uses it?', 'heddle diff --delete destinationrule reviews'],
    ],
    exitCodes: [
      ['0', 'nothing would change'],
      ['1', 'something would change'],
      ['2', 'it could not be found out'],
    ],
  },
  {
    flags: {
      filename: optionalFilename,
      namespace: manifestFlags.namespace,
      recursive: manifestFlags.recursive,
      delete: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'look at deleting instead of applying',
      },
      details: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'show which fields of each resource differ',
      },
      output: { kind: 'enum', values: ['text', 'json'], default: 'text', brief: 'how it is printed' },
      ...connectionFlags,
    },
    aliases: { f: 'filename', n: 'namespace', R: 'recursive', o: 'output' },
    positional: {
      kind: 'array',
      parameter: { parse: String, brief: 'with --delete: a kind, then names', placeholder: 'KIND NAME' },
    },
  },
  async () => (await import('../configuration/diff.ts')).diff,
);
