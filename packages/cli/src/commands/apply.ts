import { defineCommand } from './define-command.ts';
import { manifestFlags } from './manifest-flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';

export interface ApplyFlags extends ConnectionFlags {
  readonly filename: readonly string[];
  readonly namespace: string;
  readonly strict: boolean;
  readonly dryRun: boolean;
  readonly recursive: boolean;
}

export const applyCommand = defineCommand<ApplyFlags>(
  {
    brief: 'Store configuration: objects of Istio, the Gateway API and Kubernetes',
    usage: ['-f FILE|DIR|URL|- [FLAGS]'],
    text: [
      'Reads YAML or JSON, any number of documents, and stores all of it or nothing. What is wrong is reported with ' +
        'file, line and column, and what is stored without an effect yet with a warning. References to hosts or ' +
        'subsets that do not exist are stored with a warning, as in Istio; --strict refuses all of these.',
    ],
    examples: [
      ['Apply a file', 'heddle apply -f reviews-80-20.yaml'],
      [
        'Check a directory of files, change nothing',
        'heddle apply -f config/ --recursive --dry-run --strict',
      ],
      ['Apply what another program prints', 'envsubst < rule.yaml | heddle apply -f -'],
    ],
  },
  {
    flags: {
      filename: manifestFlags.filename,
      namespace: manifestFlags.namespace,
      strict: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'refuse what would be a warning',
      },
      dryRun: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'say what would happen, store nothing',
      },
      recursive: manifestFlags.recursive,
      ...connectionFlags,
    },
    aliases: { f: 'filename', n: 'namespace', R: 'recursive' },
  },
  async () => (await import('../configuration/apply.ts')).apply,
);
