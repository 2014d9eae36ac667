import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand } from './define-command.ts';
import { manifestFlags, optionalFilename } from './manifest-flags.ts';

export interface DeleteFlags extends ConnectionFlags {
  readonly filename?: readonly string[];
  readonly namespace: string;
  readonly recursive: boolean;
  readonly ignoreNotFound: boolean;
}

export const deleteCommand = defineCommand<DeleteFlags, readonly string[]>(
  {
    brief: 'Delete configuration',
    usage: ['-f FILE|DIR|URL|- [FLAGS]', 'KIND NAME... [FLAGS]'],
    text: [
      'Deletes the objects that files name, or objects by kind and name. An object that is not there is reported and a ' +
        'failure (exit code 1), unless --ignore-not-found says that it is none; the others are deleted all the same.',
    ],
    examples: [
      ['What a file has created', 'heddle delete -f reviews-80-20.yaml'],
      ['By name', 'heddle delete virtualservice reviews'],
    ],
  },
  {
    flags: {
      filename: optionalFilename,
      namespace: manifestFlags.namespace,
      recursive: manifestFlags.recursive,
      ignoreNotFound: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'what is not there is no failure',
      },
      ...connectionFlags,
    },
    aliases: { f: 'filename', n: 'namespace', R: 'recursive' },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        brief: 'virtualservice (vs) or destinationrule (dr), then names',
        placeholder: 'KIND NAME',
      },
    },
  },
  async () => (await import('../configuration/delete.ts')).deleteObjects,
);
